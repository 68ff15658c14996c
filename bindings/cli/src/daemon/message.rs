//! Messages between a client and `bayar daemon`.
//!
//! A message is two parts, each a length of 4 bytes, big-endian, and so many bytes: a JSON
//! document, then raw bytes, which are the body of a callback and otherwise none. The client
//! speaks first; each request has its answer before the next one.

use std::io::{ErrorKind, Read, Write};

use serde::Serialize;

/// The longest part, in bytes.
pub const LONGEST: usize = 1024 * 1024;

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// JSON.
    pub document: Vec<u8>,
    /// Raw bytes.
    pub body: Vec<u8>,
}

/// Why there is no further message.
#[derive(Debug)]
pub enum End {
    /// The client is gone, as it may be between two messages.
    Closed,
    /// What arrived is no message. The text says why.
    Broken(String),
}

/// Reads the next message.
pub fn read(from: &mut impl Read) -> Result<Message, End> {
    let Some(document) = part(from, true)? else { return Err(End::Closed) };
    let body = part(from, false)?.unwrap_or_default();
    Ok(Message { document, body })
}

/// Reads one part; none where `first` and nothing arrives.
fn part(from: &mut impl Read, first: bool) -> Result<Option<Vec<u8>>, End> {
    let mut length = [0; 4];
    let mut read = 0;
    while read < length.len() {
        match from.read(&mut length[read..]) {
            Ok(0) if read == 0 && first => return Ok(None),
            Ok(0) => return Err(End::Broken("it ends within a length".to_owned())),
            Ok(more) => read += more,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            // Nobody spoke for so long.
            Err(e) if read == 0 && first && is_timeout(&e) => return Ok(None),
            Err(e) => return Err(End::Broken(e.to_string())),
        }
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST {
        return Err(End::Broken(format!("a part of {length} bytes; allowed: {LONGEST}")));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).map_err(|e| End::Broken(format!("a part of {length} bytes: {e}")))?;
    Ok(Some(bytes))
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Writes an answer: a document without a body.
pub fn write(to: &mut impl Write, document: &impl Serialize) -> std::io::Result<()> {
    let json = serde_json::to_vec(document)?;
    let length = u32::try_from(json.len()).map_err(|_| std::io::Error::other("the answer is too long"))?;
    // In one piece: no packet waits for the acknowledgement of the one before.
    let mut bytes = Vec::with_capacity(json.len() + 8);
    bytes.extend(length.to_be_bytes());
    bytes.extend(json);
    bytes.extend([0; 4]);
    to.write_all(&bytes)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_parts_are_read_and_the_end_between_messages_is_no_fault() {
        let mut bytes: &[u8] = b"\0\0\0\x02{}\0\0\0\x03a\0b";
        assert_eq!(
            read(&mut bytes).expect("it is whole"),
            Message { document: b"{}".to_vec(), body: b"a\0b".to_vec() }
        );
        assert!(matches!(read(&mut bytes), Err(End::Closed)));
    }

    #[test]
    fn what_ends_early_or_is_too_long_is_broken() {
        for bytes in
            [&b"\0\0"[..], b"\0\0\0\x02{", b"\0\0\0\x02{}", b"\0\0\0\x02{}\0\0\0\x01", b"\0\x10\0\x01"]
        {
            assert!(matches!(read(&mut &*bytes), Err(End::Broken(_))), "{bytes:?}");
        }
    }

    #[test]
    fn an_answer_is_a_document_with_an_empty_body() {
        let mut bytes = Vec::new();
        write(&mut bytes, &serde_json::json!({"status": 0})).expect("a vector takes everything");
        assert_eq!(bytes, b"\0\0\0\x0c{\"status\":0}\0\0\0\0");
    }
}
