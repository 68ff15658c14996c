//! Bodies of answers: read to their proven end, decoded, under a cap.

use std::io::{self, Read};

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::attempt::Attempt;
use super::exchange::list;
use super::failure::{Reason, Trouble};

/// Reads a body as it was sent, whole or not at all; no more than one block above the cap.
pub(super) fn read(mut body: impl Read, cap: usize, attempt: &Attempt) -> Result<Vec<u8>, Trouble> {
    let mut whole = Vec::new();
    let mut block = [0; 8 * 1024];
    loop {
        attempt.bears_fruit();
        let count = match body.read(&mut block) {
            Ok(0) => return Ok(whole),
            Ok(count) => count,
            Err(error) => return Err(broken(error, attempt)),
        };
        if count > cap - whole.len() {
            return Err(too_large(cap));
        }
        whole.extend_from_slice(&block[..count]);
    }
}

fn broken(error: io::Error, attempt: &Attempt) -> Trouble {
    let trouble = Trouble::from_ureq(error.into(), attempt.stage());
    match trouble.reason {
        // The header had come to its end, so what is as long as one is between the chunks.
        Reason::HeaderTooLarge => Trouble::protocol("has too much beside the chunks of its body"),
        _ => trouble,
    }
}

fn too_large(cap: usize) -> Trouble {
    Trouble::new(Reason::BodyTooLarge, format!("the answer's body is larger than {cap} bytes"))
}

/// The body as its `Content-Encoding` says. None was asked for, but some servers compress
/// all the same. The cap holds for what comes out: a small body can hold a huge one.
pub(super) fn decode(body: Vec<u8>, headers: &[(String, String)], cap: usize) -> Result<Vec<u8>, Trouble> {
    let mut codings =
        list(headers, "content-encoding").filter(|coding| !coding.eq_ignore_ascii_case("identity"));
    let coding = match (codings.next(), codings.next()) {
        (None, _) => return Ok(body),
        (Some(coding), None) => coding.to_ascii_lowercase(),
        (Some(_), Some(_)) => return Err(encoding("is encoded more than once, which nobody asked for")),
    };
    if body.is_empty() {
        // An answer without a body (204, HEAD) may still name the encoding it would have.
        return Ok(body);
    }
    match coding.as_str() {
        "gzip" | "x-gzip" => inflate(MultiGzDecoder::new(body.as_slice()), cap),
        // The name means zlib, but some servers send the bare stream.
        "deflate" if is_zlib(&body) => inflate(ZlibDecoder::new(body.as_slice()), cap),
        "deflate" => inflate(DeflateDecoder::new(body.as_slice()), cap),
        _ => Err(encoding("has an encoding other than gzip or deflate, and none was asked for")),
    }
}

fn encoding(what: &str) -> Trouble {
    Trouble::new(Reason::Encoding, format!("the answer's body {what}"))
}

fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..]
        if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

fn inflate(decoder: impl Read, cap: usize) -> Result<Vec<u8>, Trouble> {
    let mut decoded = Vec::new();
    let outcome: io::Result<usize> = decoder.take(cap as u64 + 1).read_to_end(&mut decoded);
    if decoded.len() > cap {
        return Err(too_large(cap));
    }
    outcome.map_err(|error| encoding(&format!("is damaged: it cannot be decompressed ({error})")))?;
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const CAP: usize = 1000;

    fn decoded(body: &[u8], encoding: &str) -> Result<Vec<u8>, Reason> {
        let headers = [("Content-Encoding".to_owned(), encoding.to_owned())];
        decode(body.to_vec(), &headers, CAP).map_err(|trouble| trouble.reason)
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).expect("into memory");
        encoder.finish().expect("into memory")
    }

    #[test]
    fn known_encodings_are_decoded() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(b"hello").expect("into memory");
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(b"hello").expect("into memory");
        assert_eq!(decoded(&gzip(b"hello"), "GZip").as_deref(), Ok(&b"hello"[..]));
        assert_eq!(decoded(&zlib.finish().expect("memory"), "deflate").as_deref(), Ok(&b"hello"[..]));
        assert_eq!(decoded(&raw.finish().expect("memory"), "deflate").as_deref(), Ok(&b"hello"[..]));
        assert_eq!(decoded(b"hello", "identity").as_deref(), Ok(&b"hello"[..]));
        assert_eq!(decoded(b"", "br").as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn other_or_damaged_encodings_are_refused() {
        let whole = gzip(b"hello");
        assert_eq!(decoded(b"hello", "br"), Err(Reason::Encoding));
        assert_eq!(decoded(&whole, "gzip, gzip"), Err(Reason::Encoding));
        assert_eq!(decoded(b"hello", "gzip"), Err(Reason::Encoding));
        assert_eq!(decoded(&whole[..whole.len() - 1], "gzip"), Err(Reason::Encoding), "cut short");
    }

    #[test]
    fn the_cap_holds_for_what_comes_out() {
        assert_eq!(decoded(&gzip(&[0; 1000]), "gzip").map(|body| body.len()), Ok(1000));
        assert_eq!(decoded(&gzip(&[0; 1001]), "gzip"), Err(Reason::BodyTooLarge));
    }
}
