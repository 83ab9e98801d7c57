use crate::analyzers::AnalyzeError;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::read::macho::{FatArch, MachOFatFile32};
use object::{Endianness, Object, ObjectSection, ObjectSegment, ReadCache, ReadRef, elf};
use seawall_artifact::{Content, ContentReader};
use seawall_model::IncompleteReason;
use std::io;

/// Where the parts of an executable lie. The parts themselves are read when they are asked for.
#[derive(Debug)]
pub(in crate::analyzers) struct Executable<'a> {
    content: &'a Content,
    sections: Vec<Section>,
    segments: Vec<Segment>,
    /// The headers promise more bytes than the file has.
    ends_early: bool,
}

#[derive(Debug)]
struct Section {
    name: Vec<u8>,
    offset: u64,
    size: u64,
}

/// A part that is mapped to memory when the program runs.
#[derive(Debug)]
struct Segment {
    address: u64,
    offset: u64,
    size: u64,
    writable: bool,
}

type Cache = ReadCache<ContentReader>;

impl<'a> Executable<'a> {
    /// Reads the headers.
    ///
    /// # Errors
    /// They are damaged.
    pub(in crate::analyzers) fn open(content: &'a Content) -> Result<Self, AnalyzeError> {
        let mut identification = [0; 5];
        let length = content.read_at(&mut identification, 0)?;
        let cache = ReadCache::new(content.reader());
        let mut executable = Self {
            content,
            sections: Vec::new(),
            segments: Vec::new(),
            ends_early: false,
        };
        let result = match identification.get(..length) {
            Some([0x7F, b'E', b'L', b'F', 1]) => {
                executable.read_elf::<elf::FileHeader32<Endianness>>(&cache)
            }
            Some([0x7F, b'E', b'L', b'F', _]) => {
                executable.read_elf::<elf::FileHeader64<Endianness>>(&cache)
            }
            // MS-DOS programs and much else begin so; only a Windows program is of interest.
            Some([b'M', b'Z', ..]) => executable.read_other(&cache, 0).or(Ok(())),
            Some([0xCA, 0xFE, 0xBA, 0xBE, ..]) => executable.read_universal(&cache),
            _ => executable.read_other(&cache, 0),
        };
        match result {
            Ok(()) => Ok(executable),
            Err(error) => Err(AnalyzeError::corrupt(format!(
                "damaged headers of an executable: {error}"
            ))),
        }
    }

    /// Without the symbol tables, which in Go programs take many megabytes and which
    /// [`object::File`] would read.
    fn read_elf<Elf: FileHeader<Endian = Endianness>>(
        &mut self,
        cache: &Cache,
    ) -> object::Result<()> {
        let header = Elf::parse(cache)?;
        let endian = header.endian()?;
        for segment in header.program_headers(endian, cache)? {
            if segment.p_type(endian) == elf::PT_LOAD {
                let (offset, size) = segment.file_range(endian);
                self.segments.push(Segment {
                    address: segment.p_vaddr(endian).into(),
                    offset,
                    size,
                    writable: segment.p_flags(endian).0 & elf::PF_W.0 != 0,
                });
            }
        }
        let sections = header.sections(endian, cache)?;
        for section in sections.iter() {
            if let Some((offset, size)) = section.file_range(endian) {
                self.ends_early |= offset.saturating_add(size) > self.content.len();
                let name = sections.section_name(endian, section).unwrap_or_default();
                self.sections.push(Section {
                    name: name.to_vec(),
                    offset,
                    size,
                });
            }
        }
        Ok(())
    }

    /// The first of a universal Mach-O file's programs: they are the same for different processors.
    fn read_universal(&mut self, cache: &Cache) -> object::Result<()> {
        let file = MachOFatFile32::parse(cache)?;
        match file.arches().first() {
            Some(program) => {
                let (offset, size) = program.file_range();
                self.read_other(cache.range(offset, size), offset)
            }
            None => Ok(()),
        }
    }

    /// A PE or Mach-O file that begins at an offset of the file read.
    fn read_other<'data>(&mut self, data: impl ReadRef<'data>, begin: u64) -> object::Result<()> {
        let file = object::File::parse(data)?;
        for section in file.sections() {
            if let Some((offset, size)) = section.file_range() {
                self.sections.push(Section {
                    name: section.name_bytes().unwrap_or_default().to_vec(),
                    offset: begin.saturating_add(offset),
                    size,
                });
            }
        }
        for segment in file.segments() {
            let (offset, size) = segment.file_range();
            self.segments.push(Segment {
                address: segment.address(),
                offset: begin.saturating_add(offset),
                size,
                writable: segment.permissions().writable(),
            });
        }
        Ok(())
    }

    /// The first `cap` bytes of a section.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(in crate::analyzers) fn section(
        &self,
        name: &str,
        cap: usize,
    ) -> io::Result<Option<Vec<u8>>> {
        let section = self
            .sections
            .iter()
            .find(|section| section.name == name.as_bytes());
        section
            .map(|section| self.read(section.offset, section.size, cap))
            .transpose()
    }

    /// That the file has all the bytes that its headers promise. The Go linker writes the headers
    /// first, so that a program of which the end is missing looks whole.
    ///
    /// # Errors
    /// It has not.
    pub(in crate::analyzers) fn check_end(&self) -> Result<(), AnalyzeError> {
        if !self.ends_early {
            return Ok(());
        }
        Err(AnalyzeError {
            reason: IncompleteReason::Truncated,
            offset: Some(self.content.len()),
            message: "the program ends before its last section".to_owned(),
        })
    }

    /// Whether the section headers were stripped off.
    pub(in crate::analyzers) fn has_sections(&self) -> bool {
        !self.sections.is_empty()
    }

    /// Address and the first `cap` bytes of the first part that is writable when the program runs.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(in crate::analyzers) fn writable_data(&self, cap: usize) -> io::Result<(u64, Vec<u8>)> {
        match self.segments.iter().find(|segment| segment.writable) {
            Some(segment) => Ok((
                segment.address,
                self.read(segment.offset, segment.size, cap)?,
            )),
            None => Ok((0, Vec::new())),
        }
    }

    /// Up to `length` bytes from an address of the running program.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(in crate::analyzers) fn at_address(
        &self,
        address: u64,
        length: usize,
    ) -> io::Result<Vec<u8>> {
        for segment in &self.segments {
            let inside = address.checked_sub(segment.address);
            if let Some(inside) = inside.filter(|inside| *inside < segment.size) {
                let offset = segment.offset.saturating_add(inside);
                return self.read(offset, segment.size - inside, length);
            }
        }
        Ok(Vec::new())
    }

    fn read(&self, offset: u64, size: u64, cap: usize) -> io::Result<Vec<u8>> {
        let rest = size.min(self.content.len().saturating_sub(offset));
        let length = usize::try_from(rest).unwrap_or(cap).min(cap);
        let mut bytes = vec![0; length];
        let n = self.content.read_at(&mut bytes, offset)?;
        bytes.truncate(n);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 64-bit Mach-O file (loader.h, "mach_header_64", "segment_command_64", "section_64") with
    /// one section `.dep-v0` of the given content.
    fn mach_o(content: &[u8]) -> Vec<u8> {
        const COMMAND: u32 = 72 + 80;
        let words = |words: &[u32]| {
            words
                .iter()
                .flat_map(|w| w.to_le_bytes())
                .collect::<Vec<_>>()
        };
        let name = |name: &str| {
            let mut bytes = [0; 16];
            bytes[..name.len()].copy_from_slice(name.as_bytes());
            bytes
        };
        let (start, size) = (32 + COMMAND, content.len() as u32);
        let header = words(&[0xFEED_FACF, 0x0100_0007, 3, 2, 1, COMMAND, 0, 0]);
        let segment = words(&[0x19, COMMAND]);
        let place = words(&[0, 0, size, 0, start, 0, size, 0, 3, 3, 1, 0]);
        let address = words(&[0, 0, size, 0, start, 0, 0, 0, 0, 0, 0, 0]);
        [
            &header[..],
            &segment,
            &name("__DATA"),
            &place,
            &name(".dep-v0"),
            &name("__DATA"),
            &address,
            content,
        ]
        .concat()
    }

    #[test]
    fn universal_programs_were_called_damaged() {
        let program = mach_o(b"list");
        let begin = 64u32;
        let arch = [0x0100_0007, 3, begin, program.len() as u32, 0];
        let head = [&[0xCAFE_BABE, 1][..], &arch].concat();
        let mut universal: Vec<u8> = head.iter().flat_map(|w| w.to_be_bytes()).collect();
        universal.resize(begin as usize, 0);
        universal.extend(&program);
        for bytes in [program, universal] {
            let content = Content::from_bytes(bytes);
            let executable = Executable::open(&content).unwrap();
            let section = executable.section(".dep-v0", 100).unwrap();
            assert_eq!(section.as_deref(), Some(&b"list"[..]));
        }
    }
}
