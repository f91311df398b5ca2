//! Where gRPC messages end in the bytes of a stream: each has a byte of flags, four of its length, and its content
//! ([PROTOCOL-HTTP2]).
//!
//! tonic's decoder takes trailers in the middle of a message for the end of the stream; what is cut off would be lost
//! in silence.
//!
//! [PROTOCOL-HTTP2]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

use tonic::Status;

pub(crate) const PREFIX: usize = 5;

/// The longest message that a call takes, in bytes. In a request's extensions, where its client sets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MessageLimit(pub(crate) usize);

impl MessageLimit {
    /// Refuses a request's message of this length that is above the limit.
    pub(crate) fn check(self, length: usize) -> Result<(), Status> {
        let Self(limit) = self;
        let too_large = TooLarge {
            before: 0,
            length,
            limit,
        };
        if length > limit {
            return Err(too_large.request());
        }
        Ok(())
    }
}

impl Default for MessageLimit {
    fn default() -> Self {
        Self(usize::MAX)
    }
}

/// A message above the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    /// How many of the bytes last fed come before it.
    pub(crate) before: usize,
    /// Its length as its prefix tells.
    pub(crate) length: usize,
    pub(crate) limit: usize,
}

impl TooLarge {
    /// The status of a call whose request has it.
    pub(crate) fn request(&self) -> Status {
        let Self { length, limit, .. } = self;
        Status::resource_exhausted(format!(
            "the request has a message of {length} bytes, and the limit is {limit} bytes; see \
             `max_encoding_message_size` and `maxRequestMessageBytes`"
        ))
    }

    /// The status of a call whose answer has it.
    pub(crate) fn answer(&self) -> Status {
        let Self { length, limit, .. } = self;
        Status::resource_exhausted(format!(
            "the answer has a message of {length} bytes, and the limit is {limit} bytes; see \
             `max_decoding_message_size` and `maxResponseMessageBytes`"
        ))
    }
}

/// Follows a stream's bytes without keeping them.
#[derive(Default)]
pub(crate) struct Framing {
    prefix: [u8; PREFIX],
    /// How much of the prefix is there.
    have: usize,
    /// How much of the message is still to come, once its prefix is there.
    missing: usize,
    limit: MessageLimit,
}

impl Framing {
    pub(crate) fn new(limit: MessageLimit) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Takes note of the next bytes; says where a message begins that is too large, and goes no further then.
    pub(crate) fn feed(&mut self, all: &[u8]) -> Result<(), TooLarge> {
        let mut data = all;
        while !data.is_empty() {
            if self.have < PREFIX {
                let before = all.len() - data.len();
                let taken = data.len().min(PREFIX - self.have);
                self.prefix[self.have..self.have + taken].copy_from_slice(&data[..taken]);
                self.have += taken;
                data = &data[taken..];
                if self.have < PREFIX {
                    return Ok(());
                }
                let [flags, length @ ..] = self.prefix;
                if flags > 1 {
                    // Not gRPC; the decoder says so.
                    *self = Self::default();
                    return Ok(());
                }
                let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                let MessageLimit(limit) = self.limit;
                if length > limit {
                    return Err(TooLarge {
                        before,
                        length,
                        limit,
                    });
                }
                self.missing = length;
            }
            let taken = data.len().min(self.missing);
            self.missing -= taken;
            data = &data[taken..];
            if self.missing == 0 {
                self.have = 0;
            }
        }
        Ok(())
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
        framing.feed(&message(0)).unwrap();
        assert!(!framing.is_in_message());
        framing.feed(&[0]).unwrap();
        assert!(framing.is_in_message());
    }

    #[test]
    fn a_message_above_the_limit_is_seen_at_its_prefix_and_those_before_it_pass() {
        let mut bytes = message(3);
        bytes.extend(message(4));
        let too_large = |before| {
            Err(TooLarge {
                before,
                length: 4,
                limit: 3,
            })
        };
        assert_eq!(
            Framing::new(MessageLimit(3)).feed(&bytes[..8 + PREFIX]),
            too_large(8)
        );
        let mut in_two = Framing::new(MessageLimit(3));
        assert_eq!(in_two.feed(&bytes[..10]), Ok(()));
        assert_eq!(in_two.feed(&bytes[10..]), too_large(0));
        assert_eq!(Framing::new(MessageLimit(4)).feed(&bytes), Ok(()));
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
            all[..cut].chunks(chunk).for_each(|data| framing.feed(data).unwrap());
            prop_assert_eq!(framing.is_in_message(), !ends.contains(&cut));
        }
    }
}
