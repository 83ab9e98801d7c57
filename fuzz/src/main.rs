//! One program for all fuzz targets: `SEAWALL_FUZZ_TARGET` names the one to run. It is started by
//! `cargo xtask fuzz`, which builds it with coverage instrumentation on the stable compiler.
#![no_main]

mod advisory;
mod artifact;
mod edits;
mod scan;
mod targets;

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let run = TARGET.get_or_init(|| {
        if let Some(name) = targets::missing() {
            panic!("no fuzz target runs '{name}': add it in fuzz/src");
        }
        let name = std::env::var("SEAWALL_FUZZ_TARGET").unwrap_or_default();
        match targets::ALL.iter().find(|(own, _)| *own == name) {
            Some((_, run)) => *run,
            None => panic!("SEAWALL_FUZZ_TARGET={name:?} is not a target"),
        }
    });
    run(data);
});
