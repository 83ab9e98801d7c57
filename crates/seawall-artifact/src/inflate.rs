use std::io::{self, Read};

/// Decompresses a zlib stream (RFC 1950) that lies in another file, such as a section of a program.
/// Bytes after its end are ignored.
///
/// # Errors
/// The stream is damaged or ends too early, or holds more than `cap` bytes.
pub fn inflate_zlib(bytes: &[u8], cap: usize) -> io::Result<Vec<u8>> {
    let mut inflated = Vec::new();
    // One byte more tells what is too long from what is just as long as the cap.
    let limit = (cap as u64).saturating_add(1);
    flate2::read::ZlibDecoder::new(bytes)
        .take(limit)
        .read_to_end(&mut inflated)?;
    if inflated.len() > cap {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("more than {cap} bytes after decompression"),
        ));
    }
    Ok(inflated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_cap_is_exact() {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&[7; 1000]).unwrap();
        let stream = encoder.finish().unwrap();
        assert_eq!(inflate_zlib(&stream, 1000).unwrap(), [7; 1000]);
        let error = inflate_zlib(&stream, 999).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(inflate_zlib(&stream[..stream.len() - 6], 1000).is_err());
    }
}
