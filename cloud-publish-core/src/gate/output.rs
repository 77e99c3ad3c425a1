//! What a command prints: its end, however much it is.

use bytes::Bytes;
use tokio::net::unix::pipe::Receiver;

/// How much of an output is kept: the last of it.
const KEPT: usize = 1 << 20;

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// The end of an output.
#[derive(Debug, Default)]
pub(super) struct Output {
    kept: Vec<u8>,
    left_out: u64,
}

impl Output {
    fn take(&mut self, piece: &[u8]) {
        self.kept.extend_from_slice(piece);
        if self.kept.len() > 2 * KEPT {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        let more = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..more);
        self.left_out = self.left_out.saturating_add(more as u64);
    }

    /// Reads until nobody has the other end open.
    pub(super) async fn read(&mut self, pipe: &Receiver) {
        while pipe.readable().await.is_ok() && self.read_what_is_there(pipe) {}
    }

    /// Reads what is there already, and no more than fits into a pipe: who goes on writing is not waited for.
    pub(super) fn finish(mut self, pipe: &Receiver) -> Bytes {
        let _ = self.read_what_is_there(pipe);
        self.shorten();
        if self.left_out == 0 {
            return self.kept.into();
        }
        let mut text = format!("[the first {} bytes are left out]\n", self.left_out).into_bytes();
        text.append(&mut self.kept);
        text.into()
    }

    /// Reads until nothing is there, or a mebibyte; false at the end.
    fn read_what_is_there(&mut self, pipe: &Receiver) -> bool {
        let mut buffer = vec![0; PIECE];
        for _ in 0..KEPT / PIECE {
            match pipe.try_read(&mut buffer) {
                Ok(0) => return false,
                Ok(length) => self.take(buffer.get(..length).unwrap_or_default()),
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Output};

    #[test]
    fn the_end_of_an_endless_output_is_kept_with_a_note() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(writer);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _inside = runtime.enter();
        let pipe = tokio::net::unix::pipe::Receiver::from_owned_fd(reader.into()).unwrap();
        let mut output = Output::default();
        (0..5 * KEPT / 1000).for_each(|number| output.take(format!("{number:0>999}\n").as_bytes()));
        assert!(output.kept.len() <= 2 * KEPT);
        let text = String::from_utf8(output.finish(&pipe).to_vec()).unwrap();
        assert!(text.starts_with("[the first ") && text.len() < KEPT + 100);
        assert!(text.ends_with(&format!("{:0>999}\n", 5 * KEPT / 1000 - 1)));
    }
}
