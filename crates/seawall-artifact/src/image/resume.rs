//! Reading on behind a damaged header of an image archive, whose manifest mostly stands last.
//!
//! The length of the damaged member is lost with its header, so that the next header has to be looked
//! for. In a layer that is not compressed stand headers, too, which look the same: to take the files
//! in a layer for files of the archive would make up an image. What tells them apart is where they
//! lead. From header to header, a layer's own lead to the end that the layer's tar has, behind which
//! the archive goes on; the archive's lead to the end of the bytes. So a header that is found counts
//! only if the members from there on end where the archive does; otherwise they are forgotten, and the
//! search goes on behind them. Each block is looked at once, and nothing is kept of what led nowhere.

use crate::Error;
use crate::tar::{Input, Reader};

/// The members of an archive, or of a part of it.
pub(crate) trait Members: Default {
    /// Whether a manifest or an index is among them.
    fn have_manifest(&self) -> bool;
    /// Adds those of a later part. They take no place that is taken: what was read without doubt has
    /// the word.
    fn add_behind(&mut self, part: Self);
}

/// Takes the member that the reader stands at.
type ReadMember<'a, I, M> = dyn FnMut(&mut Reader<I>, &mut M) -> Result<(), Error> + 'a;

/// Reads the members of an archive by `read_member`, with what is wrong with it.
pub(crate) fn read_members<I: Input, M: Members>(
    reader: &mut Reader<I>,
    read_member: &mut ReadMember<'_, I, M>,
) -> (M, Option<Error>) {
    let mut members = M::default();
    let mut damage = match read_to_end(reader, &mut members, read_member) {
        Ok(()) if members.have_manifest() => return (members, None),
        // A header that was lost in zeros looks like the end.
        Ok(()) => match reader.only_zeros_follow() {
            Ok(false) => Error::Corrupt {
                place: reader.place().to_owned(),
                offset: reader.position(),
                message: "the archive goes on behind its end".to_owned(),
            },
            Ok(true) => return (members, None),
            Err(error) => error,
        },
        Err(error) => error,
    };
    let Error::Corrupt { message, .. } = &mut damage else {
        return (members, Some(damage));
    };
    // An error of the input itself ends the search: it would come again.
    while let Ok(Some(start)) = reader.find_header() {
        let mut part = M::default();
        let read = read_to_end(reader, &mut part, read_member);
        if read.is_ok() && matches!(reader.only_zeros_follow(), Ok(true)) {
            members.add_behind(part);
            message.push_str(&format!("; what stands before byte {start} is lost"));
            break;
        }
    }
    (members, Some(damage))
}

fn read_to_end<I: Input, M>(
    reader: &mut Reader<I>,
    members: &mut M,
    read_member: &mut ReadMember<'_, I, M>,
) -> Result<(), Error> {
    loop {
        let found = reader.advance();
        // No writer of image archives leaves one: it was a header.
        if let Some(offset) = reader.lone_zeros() {
            return Err(Error::Corrupt {
                place: reader.place().to_owned(),
                offset,
                message: "there are zeros where a tar header should be".to_owned(),
            });
        }
        if !found? {
            return Ok(());
        }
        read_member(reader, members)?;
    }
}
