use crate::analyzers::AnalyzeError;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, Object, ObjectSection, ObjectSegment, ReadCache, elf};
use seawall_artifact::{Content, ContentReader};
use std::io;

/// Where the parts of an executable lie. The parts themselves are read when they are asked for.
#[derive(Debug)]
pub(in crate::analyzers) struct Executable<'a> {
    content: &'a Content,
    sections: Vec<Section>,
    segments: Vec<Segment>,
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
        };
        let result = match identification.get(..length) {
            Some([0x7F, b'E', b'L', b'F', 1]) => {
                executable.read_elf::<elf::FileHeader32<Endianness>>(&cache)
            }
            Some([0x7F, b'E', b'L', b'F', _]) => {
                executable.read_elf::<elf::FileHeader64<Endianness>>(&cache)
            }
            // MS-DOS programs and much else begin so; only a Windows program is of interest.
            Some([b'M', b'Z', ..]) => executable.read_other(&cache).or(Ok(())),
            _ => executable.read_other(&cache),
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

    fn read_other(&mut self, cache: &Cache) -> object::Result<()> {
        let file = object::File::parse(cache)?;
        for section in file.sections() {
            if let Some((offset, size)) = section.file_range() {
                self.sections.push(Section {
                    name: section.name_bytes().unwrap_or_default().to_vec(),
                    offset,
                    size,
                });
            }
        }
        for segment in file.segments() {
            let (offset, size) = segment.file_range();
            self.segments.push(Segment {
                address: segment.address(),
                offset,
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

    /// Whether the section headers were stripped off.
    pub(in crate::analyzers) fn has_sections(&self) -> bool {
        !self.sections.is_empty()
    }

    /// The first `cap` bytes of the first part that is writable when the program runs.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(in crate::analyzers) fn writable_data(&self, cap: usize) -> io::Result<Vec<u8>> {
        match self.segments.iter().find(|segment| segment.writable) {
            Some(segment) => self.read(segment.offset, segment.size, cap),
            None => Ok(Vec::new()),
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
