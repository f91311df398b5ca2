//! Where gRPC messages end in the bytes of a stream: each has a byte of flags, four of its length, and its content
//! ([PROTOCOL-HTTP2]).
//!
//! tonic's decoder takes trailers in the middle of a message for the end of the stream; what is cut off would be lost
//! in silence.
//!
//! [PROTOCOL-HTTP2]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

const PREFIX: usize = 5;

/// Follows a stream's bytes without keeping them.
#[derive(Default)]
pub(crate) struct Framing {
    prefix: [u8; PREFIX],
    /// How much of the prefix is there.
    have: usize,
    /// How much of the message is still to come, once its prefix is there.
    missing: usize,
}

impl Framing {
    /// Takes note of the next bytes.
    pub(crate) fn feed(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            if self.have < PREFIX {
                let taken = data.len().min(PREFIX - self.have);
                self.prefix[self.have..self.have + taken].copy_from_slice(&data[..taken]);
                self.have += taken;
                data = &data[taken..];
                if self.have < PREFIX {
                    return;
                }
                let [_, length @ ..] = self.prefix;
                self.missing = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            }
            let taken = data.len().min(self.missing);
            self.missing -= taken;
            data = &data[taken..];
            if self.missing == 0 {
                self.have = 0;
            }
        }
    }

    /// Whether the bytes so far end in the middle of a message.
    pub(crate) fn is_in_message(&self) -> bool {
        self.have > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(length: usize) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
        bytes.resize(PREFIX + length, 7);
        bytes
    }

    #[test]
    fn an_empty_message_is_whole() {
        let mut framing = Framing::default();
        assert!(!framing.is_in_message());
        framing.feed(&message(0));
        assert!(!framing.is_in_message());
        framing.feed(&[0]);
        assert!(framing.is_in_message());
    }

    proptest! {
        #[test]
        fn messages_are_whole_at_their_ends_alone(
            lengths in proptest::collection::vec(0_usize..50, 0..6),
            chunk in 1_usize..20,
            cut in 0_usize..400,
        ) {
            let all: Vec<u8> = lengths.iter().flat_map(|&length| message(length)).collect();
            let mut ends = vec![0];
            for length in lengths {
                ends.push(ends[ends.len() - 1] + PREFIX + length);
            }
            let cut = cut.min(all.len());
            let mut framing = Framing::default();
            all[..cut].chunks(chunk).for_each(|data| framing.feed(data));
            prop_assert_eq!(framing.is_in_message(), !ends.contains(&cut));
        }
    }
}
