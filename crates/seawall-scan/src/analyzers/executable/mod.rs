//! ELF, PE and Mach-O files. Each is opened once and handed to all who look into programs.

mod layout;

pub(super) use layout::Executable;

use super::{AnalyzeError, Analyzer, File, Found, Pattern};
use super::{golang, program, rust};

/// What programs say of the packages that were built into them: Go's build information, the list
/// that cargo-auditable leaves, and the version strings of well-known programs.
#[derive(Debug)]
pub struct Executables;

impl Analyzer for Executables {
    fn name(&self) -> &'static str {
        "executable"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Executable]
    }

    fn max_bytes(&self) -> u64 {
        1 << 30
    }

    fn memory_per_byte(&self) -> u64 {
        0
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        // A program is recognised by its version string even where its headers are damaged.
        let layout = Executable::open(file.content);
        let go = match &layout {
            Ok(executable) => {
                rust::read_executable(executable, found)?;
                golang::BuildInfo::read(executable)?
            }
            Err(_) => None,
        };
        if let Some(info) = &go {
            info.add_to(found);
        }
        program::recognize(file, go.as_ref(), found)?;
        layout?.check_end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::analyze;
    use seawall_model::IncompleteReason;

    #[test]
    fn a_program_without_its_end_looked_whole_where_the_headers_come_first() {
        // A 64-bit ELF header (elf(5)), the empty section header, and that of the section names,
        // which are the last 100 bytes.
        let words = |words: &[u64]| words.iter().flat_map(|n| n.to_le_bytes()).collect();
        let parts: [Vec<u8>; 7] = [
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
            vec![2, 0, 62, 0, 1, 0, 0, 0],
            words(&[0, 0, 64]),
            vec![0, 0, 0, 0, 64, 0, 56, 0, 0, 0, 64, 0, 2, 0, 1, 0],
            words(&[0; 8]),
            words(&[3 << 32, 0, 0, 192, 100, 0, 0, 0]),
            vec![0; 100],
        ];
        let elf = parts.concat();
        analyze(&Executables, "bin/x", &elf).1.unwrap();
        let error = analyze(&Executables, "bin/x", &elf[..250]).1.unwrap_err();
        assert_eq!(error.reason, IncompleteReason::Truncated);
        assert_eq!(error.offset, Some(250));
    }
}
