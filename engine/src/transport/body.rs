//! Bodies of answers: read to their proven end, decoded, under a cap.

use std::io::{self, Read};

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::connection::Connection;
use super::exchange::{Limits, list};
use super::failure::{Reason, Trouble};

/// How large the line before a chunk may be: sixteen digits and a little extension.
const CHUNK_LINE: usize = 256;

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After that many bytes.
    Length(u64),
    /// After the chunk of size zero.
    Chunked,
    /// With the connection, closed in order.
    UntilClose,
}

/// Reads a body as it was sent, whole or not at all.
pub(super) fn read(
    connection: &mut Connection,
    framing: Framing,
    limits: Limits,
) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    match framing {
        Framing::Length(length) => take(connection, &mut body, length, limits)?,
        Framing::Chunked => read_chunks(connection, &mut body, limits)?,
        Framing::UntilClose => loop {
            let waiting = connection.input().len() as u64;
            take(connection, &mut body, waiting, limits)?;
            if fill(connection)? == 0 {
                break;
            }
        },
    }
    Ok(body)
}

/// Moves exactly `length` bytes into the body; refuses before reading what is over the cap.
fn take(connection: &mut Connection, body: &mut Vec<u8>, length: u64, limits: Limits) -> Result<(), Trouble> {
    let room = limits.body - body.len();
    let Some(mut left) = usize::try_from(length).ok().filter(|length| *length <= room) else {
        return Err(too_large(limits));
    };
    body.reserve(left);
    loop {
        let count = left.min(connection.input().len());
        body.extend_from_slice(&connection.input()[..count]);
        connection.consume(count);
        left -= count;
        if left == 0 {
            return Ok(());
        }
        more(connection)?;
    }
}

fn too_large(limits: Limits) -> Trouble {
    Trouble::new(Reason::BodyTooLarge, format!("the answer's body is larger than {} bytes", limits.body))
}

fn fill(connection: &mut Connection) -> Result<usize, Trouble> {
    connection.fill().map_err(|error| Trouble::from_io(&error, "reading the answer's body"))
}

/// Reads on where the body cannot end yet.
fn more(connection: &mut Connection) -> Result<(), Trouble> {
    if fill(connection)? == 0 {
        return Err(Trouble::new(
            Reason::Closed,
            "the other side ended the connection in the middle of the answer's body",
        ));
    }
    Ok(())
}

fn read_chunks(connection: &mut Connection, body: &mut Vec<u8>, limits: Limits) -> Result<(), Trouble> {
    loop {
        let size = chunk_size(connection)?;
        if size == 0 {
            return skip_trailer(connection, limits);
        }
        take(connection, body, size, limits)?;
        if line(connection, 2)? != 2 {
            return Err(bad_chunk());
        }
        connection.consume(2);
    }
}

fn bad_chunk() -> Trouble {
    Trouble::new(Reason::Protocol, "the answer's body is in chunks that cannot be read")
}

fn chunk_size(connection: &mut Connection) -> Result<u64, Trouble> {
    let length = line(connection, CHUNK_LINE)?;
    // An empty line would be read as a size of zero, the end of the body.
    if !connection.input()[0].is_ascii_hexdigit() {
        return Err(bad_chunk());
    }
    match httparse::parse_chunk_size(connection.input()) {
        Ok(httparse::Status::Complete((used, size))) if used == length => {
            connection.consume(used);
            Ok(size)
        }
        _ => Err(bad_chunk()),
    }
}

/// Passes over the fields after the last chunk, up to the empty line that ends the answer.
fn skip_trailer(connection: &mut Connection, limits: Limits) -> Result<(), Trouble> {
    let mut left = limits.header;
    loop {
        let length = line(connection, left)?;
        connection.consume(length);
        left -= length;
        if length == 2 {
            return Ok(());
        }
    }
}

/// The length, line end included, of the line at the front of the input, read in if need be.
fn line(connection: &mut Connection, longest: usize) -> Result<usize, Trouble> {
    loop {
        let input = connection.input();
        if let Some(end) = input.iter().take(longest).position(|byte| *byte == b'\n') {
            return if end > 0 && input[end - 1] == b'\r' { Ok(end + 1) } else { Err(bad_chunk()) };
        }
        if input.len() >= longest || connection.is_full() {
            return Err(bad_chunk());
        }
        more(connection)?;
    }
}

/// The body as its `Content-Encoding` says. None was asked for, but some servers compress
/// all the same. The cap holds for what comes out: a small body can hold a huge one.
pub(super) fn decode(
    body: Vec<u8>,
    headers: &[(String, String)],
    limits: Limits,
) -> Result<Vec<u8>, Trouble> {
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
        "gzip" | "x-gzip" => inflate(MultiGzDecoder::new(body.as_slice()), limits),
        // The name means zlib, but some servers send the bare stream.
        "deflate" if is_zlib(&body) => inflate(ZlibDecoder::new(body.as_slice()), limits),
        "deflate" => inflate(DeflateDecoder::new(body.as_slice()), limits),
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

fn inflate(decoder: impl Read, limits: Limits) -> Result<Vec<u8>, Trouble> {
    let mut decoded = Vec::new();
    let outcome: io::Result<usize> = decoder.take(limits.body as u64 + 1).read_to_end(&mut decoded);
    if decoded.len() > limits.body {
        return Err(too_large(limits));
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

    const LIMITS: Limits = Limits { header: 1024, body: 1000 };

    fn decoded(body: &[u8], encoding: &str) -> Result<Vec<u8>, Reason> {
        let headers = [("Content-Encoding".to_owned(), encoding.to_owned())];
        decode(body.to_vec(), &headers, LIMITS).map_err(|trouble| trouble.reason)
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
