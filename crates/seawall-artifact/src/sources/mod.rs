//! Images that are fetched: from registries and from the stores of container runtimes.

use crate::read::Opened;
use crate::{Error, Options, Source};

/// Opens a source that is no file.
pub(crate) fn open(source: &Source, _options: &Options) -> Result<Opened, Error> {
    Err(Error::Unsupported {
        place: source.to_string(),
        message: "sources other than files are not read".to_owned(),
    })
}
