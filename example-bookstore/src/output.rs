//! What a person reads: tables, money, time, and texts that cannot move the cursor.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use tonic::Code;
use tonic_cloud_run::prost_types::Timestamp;

/// Rows under a header, in columns as wide as their widest cell.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
    /// Which columns are numbers, and stand to the right.
    numbers: [bool; N],
}

impl<const N: usize> Table<N> {
    /// A header that ends with `>` is a column of numbers.
    pub(crate) fn new(header: [&str; N]) -> Table<N> {
        let numbers = header.map(|name| name.ends_with('>'));
        Table {
            rows: vec![header.map(|name| name.trim_end_matches('>').to_owned())],
            numbers,
        }
    }

    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| printable(&cell)));
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), number) in row.iter().zip(widths).zip(self.numbers) {
                // Writing to a String cannot fail.
                let _ = if number {
                    write!(line, "{cell:>width$}  ")
                } else {
                    write!(line, "{cell:<width$}  ")
                };
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Someone else's text, with what would act on a terminal made visible.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut shown, c| {
            match c {
                '\n' => shown.push(c),
                c if c.is_control() => shown.extend(c.escape_default()),
                c => shown.push(c),
            }
            shown
        })
}

/// Cents as a price: `9.95`.
pub(crate) fn price(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// A price as a person types it, `9.95` or `10`, in cents.
pub(crate) fn parse_price(text: &str) -> Result<i64, String> {
    let (whole, cents) = text.split_once('.').unwrap_or((text, "00"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(cents) || cents.len() != 2 {
        return Err(format!("{text:?} is not a price; it looks like 9.95 or 10"));
    }
    format!("{whole}{cents}")
        .parse()
        .map_err(|_| format!("{text:?} is more than any price"))
}

/// A time as RFC 3339, in UTC: `2026-11-24T09:30:00Z`. Empty for none.
pub(crate) fn time(time: Option<Timestamp>) -> String {
    time.map(|time| Timestamp { nanos: 0, ..time }.to_string())
        .unwrap_or_default()
}

/// A status code as the gRPC documents spell it.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let mut table = Table::new(["ID", "PRICE>", "TITLE"]);
        table.row(["dune".into(), price(995), "Dune".into()]);
        table.row(["x".into(), price(12_000), "\u{1b}[31mred\n".into()]);
        let mut text = Vec::new();
        table.write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "ID     PRICE  TITLE\ndune    9.95  Dune\nx     120.00  \\u{1b}[31mred\n"
        );
    }

    #[test]
    fn prices() {
        for (cents, text) in [
            (0, "0.00"),
            (5, "0.05"),
            (995, "9.95"),
            (-995, "-9.95"),
            (i64::MIN, "-92233720368547758.08"),
        ] {
            assert_eq!(price(cents), text);
        }
        for (text, cents) in [
            ("0", 0),
            ("9.95", 995),
            ("10", 1000),
            ("0.05", 5),
            ("007.00", 700),
        ] {
            assert_eq!(parse_price(text), Ok(cents));
        }
        for text in [
            "", ".", "9.", ".95", "9.5", "9.955", "-1", "+1", "1e3", "9,95", "9.9a", "٣",
        ] {
            assert_eq!(
                parse_price(text).unwrap_err(),
                format!("{text:?} is not a price; it looks like 9.95 or 10")
            );
        }
        assert!(
            parse_price("92233720368547758.08")
                .unwrap_err()
                .ends_with("is more than any price")
        );
    }

    #[test]
    fn times_are_in_utc() {
        let noon = Timestamp {
            seconds: 1_795_521_600,
            nanos: 5,
        };
        assert_eq!(time(Some(noon)), "2026-11-24T12:00:00Z");
        assert_eq!(time(None), "");
    }
}
