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
        layout.map(|_| ())
    }
}
