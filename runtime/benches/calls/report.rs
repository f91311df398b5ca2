//! The table.

use crate::load::{Count, Outcome, Slow};
use crate::{Cell, Shape, Way, picture};
use std::fmt;

/// The medians of a contestant in a cell, and what they are of the baseline's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) cpu: f64,
    p50: f64,
    p99: f64,
}

/// A cell, and what each contestant came to in it: absolute, and relative to the baseline.
pub(crate) type Row = (Cell, Vec<(Figures, Figures)>);

#[derive(Default)]
pub(crate) struct Report {
    cells: Vec<Row>,
    counts: Vec<(Way, Count)>,
    slow: Vec<(Slow, f64, f64)>,
    /// The first call of each contestant in milliseconds, and what it is of the baseline's.
    cold: Vec<(f64, f64)>,
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Report {
    /// The outcomes of each contestant, round by round.
    pub(crate) fn add(&mut self, cell: Cell, outcomes: &[Vec<Outcome>]) {
        let of = |rounds: &[Outcome], of: &dyn Fn(usize, &Outcome) -> Figures| {
            let all: Vec<Figures> = rounds.iter().enumerate().map(|(n, it)| of(n, it)).collect();
            let pick = |figure: fn(&Figures) -> f64| median(all.iter().map(figure));
            Figures {
                per_second: pick(|it| it.per_second),
                cpu: pick(|it| it.cpu),
                p50: pick(|it| it.p50),
                p99: pick(|it| it.p99),
            }
        };
        let absolute = |_: usize, it: &Outcome| Figures {
            per_second: it.per_second,
            cpu: it.cpu,
            p50: it.p50,
            p99: it.p99,
        };
        let relative = |round: usize, it: &Outcome| {
            let base = &outcomes[0][round];
            Figures {
                per_second: it.per_second / base.per_second,
                cpu: it.cpu / base.cpu,
                p50: it.p50 / base.p50,
                p99: it.p99 / base.p99,
            }
        };
        let rows = outcomes
            .iter()
            .map(|rounds| (of(rounds, &absolute), of(rounds, &relative)))
            .collect();
        self.cells.push((cell, rows));
    }

    pub(crate) fn count(&mut self, way: Way, count: Count) {
        self.counts.push((way, count));
    }

    pub(crate) fn slow(&mut self, outcomes: &[Vec<Slow>]) {
        for rounds in outcomes {
            let ratio = |figure: fn(&Slow) -> f64| {
                let pairs = rounds.iter().zip(&outcomes[0]);
                median(pairs.map(|(it, base)| figure(it) / figure(base)))
            };
            let slow = Slow {
                all: median(rounds.iter().map(|it| it.all)),
                p99: median(rounds.iter().map(|it| it.p99)),
            };
            self.slow
                .push((slow, ratio(|it| it.all), ratio(|it| it.p99)));
        }
    }

    pub(crate) fn cold(&mut self, times: &[Vec<f64>]) {
        for rounds in times {
            let ratios = rounds.iter().zip(&times[0]).map(|(it, base)| it / base);
            self.cold
                .push((median(rounds.iter().copied()), median(ratios)));
        }
    }

    fn ratio(&self, cell: Cell, way: Way, figure: fn(&Figures) -> f64) -> f64 {
        let rows = self.cells.iter().find(|(it, _)| *it == cell);
        rows.map_or(f64::NAN, |(_, rows)| figure(&rows[way as usize].1))
    }

    /// The figures to reach, and those reached: with either header, unless one is named.
    fn targets(&self) -> Vec<(String, f64, bool, f64)> {
        let cell = |shape, in_flight, threads| Cell {
            shape,
            in_flight,
            threads,
        };
        let (crowd, lone) = (cell(Shape::Small, 256, 2), cell(Shape::Small, 1, 1));
        let stream = cell(Shape::Stream, 64, 2);
        let large = cell(Shape::Large, 64, 2);
        // What, the target, whether more is better, the figure.
        let mut targets = Vec::new();
        for (way, per_second, cpu) in [
            (Way::Authorization, 1.5, 0.55),
            (Way::XServerlessAuthorization, 2.0, 0.4),
        ] {
            let mut add = |what: &str, target, more, figure| {
                targets.push((format!("{way}: {what}"), target, more, figure));
            };
            let ratio = |cell, figure| self.ratio(cell, way, figure);
            add(
                "256 in flight, calls/s",
                per_second,
                true,
                ratio(crowd, |it| it.per_second),
            );
            add(
                "256 in flight, CPU per call",
                cpu,
                false,
                ratio(crowd, |it| it.cpu),
            );
            add("256 in flight, p99", 0.6, false, ratio(crowd, |it| it.p99));
            add(
                "one at a time, median latency",
                1.0,
                false,
                ratio(lone, |it| it.p50),
            );
            add(
                "one at a time, CPU per call",
                0.85,
                false,
                ratio(lone, |it| it.cpu),
            );
            add(
                "64 streams, messages/s",
                1.4,
                true,
                ratio(stream, |it| it.per_second),
            );
            add(
                "64 KiB, calls/s",
                1.2,
                true,
                ratio(large, |it| it.per_second),
            );
            let slow = self.slow.get(way as usize);
            add(
                "1000 slow calls, times as fast",
                9.0,
                true,
                slow.map_or(f64::NAN, |(_, all, _)| 1.0 / all),
            );
            add(
                "1000 slow calls, p99",
                0.15,
                false,
                slow.map_or(f64::NAN, |(_, _, p99)| *p99),
            );
            let count = |figure: fn(&Count) -> f64| {
                let found = self.counts.iter().find(|(it, _)| *it == way);
                found.map_or(f64::NAN, |(_, it)| figure(it))
            };
            add(
                "allocations per 100 B call",
                15.0,
                false,
                count(|it| it.allocations),
            );
            add(
                "bytes allocated per 100 B call",
                4096.0,
                false,
                count(|it| it.allocated),
            );
            if way == Way::XServerlessAuthorization {
                add(
                    "HTTP/2 bytes per empty call",
                    120.0,
                    false,
                    count(|it| it.http2),
                );
                add("the same with TLS around", 120.0, false, count(|it| it.tcp));
            }
        }
        targets
    }

    /// The picture of all cells.
    pub(crate) fn svg(&self) -> String {
        picture::svg(&self.cells)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:38} {:27} {:>9} {:>6} {:>9} {:>6} {:>6} {:>6}",
            "", "", "calls/s", "ratio", "CPU µs", "ratio", "p50", "p99"
        )?;
        for (cell, rows) in &self.cells {
            for (way, (absolute, ratio)) in Way::ALL.into_iter().zip(rows) {
                writeln!(
                    f,
                    "{:38} {way:27} {:9.0} {:6.2} {:9.1} {:6.2} {:6.2} {:6.2}",
                    if way == Way::Tonic {
                        cell.to_string()
                    } else {
                        String::new()
                    },
                    absolute.per_second,
                    ratio.per_second,
                    absolute.cpu,
                    ratio.cpu,
                    ratio.p50,
                    ratio.p99,
                )?;
            }
        }
        writeln!(
            f,
            "\none at a time: allocations and bytes allocated per 100 B call; bytes per empty call, both ways: HTTP/2, with TLS"
        )?;
        for (way, it) in &self.counts {
            writeln!(
                f,
                "{way:38} {:6.1} {:8.0} {:8.1} {:8.1}",
                it.allocations, it.allocated, it.http2, it.tcp
            )?;
        }
        writeln!(
            f,
            "\n1000 calls of 50 ms at once, 100 streams on a connection: all, p99 (ms, ratio)"
        )?;
        for (way, (slow, all, p99)) in Way::ALL.into_iter().zip(&self.slow) {
            writeln!(
                f,
                "{way:38} {:7.1} {all:5.2} {:7.1} {p99:5.2}",
                slow.all, slow.p99
            )?;
        }
        writeln!(
            f,
            "\nthe first call, a token 50 ms and a server 30 ms away (ms, ratio)"
        )?;
        for (way, (time, ratio)) in Way::ALL.into_iter().zip(&self.cold) {
            writeln!(f, "{way:38} {time:7.1} {ratio:5.2}")?;
        }
        writeln!(f, "\nfigures to reach")?;
        for (what, target, more, figure) in self.targets() {
            let reached = if more {
                figure >= target
            } else {
                figure <= target
            };
            let sign = if more { '≥' } else { '≤' };
            let verdict = if reached { "reached" } else { "not reached" };
            writeln!(f, "{what:58} {sign} {target:7.2} {figure:9.2}  {verdict}")?;
        }
        Ok(())
    }
}
