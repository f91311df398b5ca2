//! Pages of a list: sizes and tokens, as in <https://google.aip.dev/158>.
//!
//! A token names the last id of its page, so that a list that changes between two pages neither repeats nor skips what was
//! there all along. It is bound to its query and carries a checksum. Both guard against mistakes, not against forgery: a forged
//! token shows nothing that the list would not show.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

const DEFAULT_SIZE: usize = 50;
const MAX_SIZE: usize = 200;

/// The first byte of a token; another number for another layout.
const VERSION: u8 = 1;

/// How many bytes a hash takes.
const HASH: usize = 8;

/// What a token belongs to: the kind of list and everything that decides what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Query(u64);

impl Query {
    pub(crate) fn new(parts: &[&str]) -> Query {
        // Each part with its length, so that ["ab", "c"] is not ["a", "bc"].
        let bytes = parts.iter().flat_map(|part| {
            (part.len() as u64)
                .to_be_bytes()
                .into_iter()
                .chain(part.bytes())
        });
        Query(fnv1a(bytes))
    }
}

/// Where a page starts and how much it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    query: Query,
    /// The id that the page before ended with.
    pub(crate) after: Option<String>,
    /// The most that it holds, from 1 to 200.
    pub(crate) size: usize,
}

impl Page {
    pub(crate) fn parse(query: Query, page_size: i32, page_token: &str) -> Result<Page, PageError> {
        let size = match usize::try_from(page_size) {
            Err(_) => return Err(PageError::NegativeSize(page_size)),
            Ok(0) => DEFAULT_SIZE,
            Ok(size) => size.min(MAX_SIZE),
        };
        let after = if page_token.is_empty() {
            None
        } else {
            Some(read_token(query, page_token)?)
        };
        Ok(Page { query, after, size })
    }

    /// Cuts what a list gave, one more than [`size`](Self::size) if there is more, to the page, and makes the next one's token.
    pub(crate) fn cut<T>(&self, items: &mut Vec<T>, id: impl Fn(&T) -> &str) -> String {
        if items.len() <= self.size {
            return String::new();
        }
        items.truncate(self.size);
        items
            .last()
            .map_or_else(String::new, |last| write_token(self.query, id(last)))
    }
}

/// Version, query, id, checksum of all that; in base64 for URLs.
fn write_token(query: Query, id: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(query.0.to_be_bytes());
    bytes.extend(id.as_bytes());
    let checksum = fnv1a(bytes.iter().copied());
    bytes.extend(checksum.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read_token(query: Query, token: &str) -> Result<String, PageError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|_| PageError::Garbage)?;
    let (body, checksum) = bytes.split_last_chunk::<HASH>().ok_or(PageError::Garbage)?;
    if fnv1a(body.iter().copied()) != u64::from_be_bytes(*checksum) {
        return Err(PageError::Garbage);
    }
    let (version, body) = body.split_first().ok_or(PageError::Garbage)?;
    let (of, id) = body.split_first_chunk::<HASH>().ok_or(PageError::Garbage)?;
    if *version != VERSION {
        return Err(PageError::Garbage);
    }
    if u64::from_be_bytes(*of) != query.0 {
        return Err(PageError::OtherQuery);
    }
    String::from_utf8(id.to_vec()).map_err(|_| PageError::Garbage)
}

/// FNV-1a, 64 bits: the same on every machine and in every release, unlike the standard library's hashers.
fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Why a page cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageError {
    NegativeSize(i32),
    Garbage,
    OtherQuery,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PageError::NegativeSize(size) => write!(f, "page_size is {size}; it must be 0 (for {DEFAULT_SIZE}) or more"),
            PageError::Garbage => f.write_str(
                "page_token is not one of this server's, or is damaged; send next_page_token as it came, or nothing for the first page",
            ),
            PageError::OtherQuery => f.write_str(
                "page_token comes from another query; between pages only page_size may change, so send nothing for the first page of this one",
            ),
        }
    }
}

impl std::error::Error for PageError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes() {
        let query = Query::new(&["shelves"]);
        for (asked, size) in [
            (0, 50),
            (1, 1),
            (199, 199),
            (200, 200),
            (201, 200),
            (i32::MAX, 200),
        ] {
            assert_eq!(Page::parse(query, asked, "").unwrap().size, size);
        }
        for asked in [-1, i32::MIN] {
            assert_eq!(
                Page::parse(query, asked, ""),
                Err(PageError::NegativeSize(asked))
            );
        }
    }

    #[test]
    fn the_last_page_has_no_token() {
        let page = Page::parse(Query::new(&["shelves"]), 2, "").unwrap();
        for (items, left, more) in [
            (vec![], 0, false),
            (vec!["a"], 1, false),
            (vec!["a", "b"], 2, false),
            (vec!["a", "b", "c"], 2, true),
        ] {
            let mut items = items;
            assert_eq!(!page.cut(&mut items, |id| id).is_empty(), more);
            assert_eq!(items.len(), left);
        }
    }

    #[test]
    fn a_query_is_its_parts() {
        assert_ne!(Query::new(&["ab", "c"]), Query::new(&["a", "bc"]));
        assert_ne!(Query::new(&["a"]), Query::new(&["a", ""]));
        assert_eq!(Query::new(&["a", "b"]), Query::new(&["a", "b"]));
    }

    #[test]
    fn tokens_stay_readable_across_releases() {
        // A caller may hold a token while the server is replaced: this text must not change without a new VERSION.
        let query = Query::new(&["books", "shelves/fiction", ""]);
        assert_eq!(write_token(query, "dune"), "AaVNV96RAxpUZHVuZYC7zOoIJFaf");
    }

    proptest! {
        #[test]
        fn a_token_leads_to_the_next_page(id in "[a-z0-9-]{1,63}", size in 1..=200i32) {
            let query = Query::new(&["books", "shelves/fiction", ""]);
            let token = write_token(query, &id);
            let page = Page::parse(query, size, &token).unwrap();
            prop_assert_eq!(page.after, Some(id));
            prop_assert_eq!(page.size, usize::try_from(size).unwrap());
        }

        #[test]
        fn a_token_of_another_query_is_refused(id in "[a-z0-9-]{1,63}", author in "[a-z]{1,9}") {
            let token = write_token(Query::new(&["books", "shelves/fiction", ""]), &id);
            let other = Query::new(&["books", "shelves/fiction", &author]);
            prop_assert_eq!(Page::parse(other, 0, &token), Err(PageError::OtherQuery));
        }

        #[test]
        fn a_damaged_token_is_refused(id in "[a-z0-9-]{1,63}", at in any::<prop::sample::Index>(), by in 1..=255u8) {
            let query = Query::new(&["shelves"]);
            let mut bytes = URL_SAFE_NO_PAD.decode(write_token(query, &id)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= by;
            prop_assert_eq!(Page::parse(query, 0, &URL_SAFE_NO_PAD.encode(bytes)), Err(PageError::Garbage));
        }

        #[test]
        fn any_other_text_is_refused(token in ".+") {
            prop_assert_eq!(Page::parse(Query::new(&["shelves"]), 0, &token), Err(PageError::Garbage));
        }

        #[test]
        fn any_other_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 1..100)) {
            prop_assert_eq!(Page::parse(Query::new(&["shelves"]), 0, &URL_SAFE_NO_PAD.encode(bytes)), Err(PageError::Garbage));
        }
    }
}
