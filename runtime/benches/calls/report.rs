//! The table, and the picture.

use crate::load::{Count, Outcome, Slow};
use crate::{Cell, Shape, Way};
use std::fmt;
use std::fmt::Write as _;

/// The medians of a contestant in a cell, and what they are of the baseline's.
#[derive(Clone, Copy, Debug)]
struct Figures {
    per_second: f64,
    cpu: f64,
    p50: f64,
    p99: f64,
}

#[derive(Default)]
pub(crate) struct Report {
    cells: Vec<(Cell, Vec<(Figures, Figures)>)>,
    counts: Vec<(Way, Count)>,
    slow: Vec<(Slow, f64, f64)>,
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

    fn ratio(&self, cell: Cell, way: Way, figure: fn(&Figures) -> f64) -> f64 {
        let rows = self.cells.iter().find(|(it, _)| *it == cell);
        rows.map_or(f64::NAN, |(_, rows)| figure(&rows[way as usize].1))
    }

    /// The figures to reach, and those reached.
    fn targets(&self) -> Vec<(&'static str, f64, bool, f64)> {
        let cell = |shape, in_flight, threads| Cell {
            shape,
            in_flight,
            threads,
        };
        let (crowd, lone) = (cell(Shape::Small, 256, 2), cell(Shape::Small, 1, 1));
        let (x, auth) = (Way::XServerlessAuthorization, Way::Authorization);
        let stream = cell(Shape::Stream, 64, 2);
        let large = cell(Shape::Large, 64, 2);
        let ours = self.counts.last().map(|(_, count)| count);
        let (_, slow, slow_p99) =
            self.slow
                .last()
                .cloned()
                .unwrap_or((Slow { all: 0.0, p99: 0.0 }, f64::NAN, f64::NAN));
        // What, the target, whether more is better, the figure.
        vec![
            (
                "256 in flight, x-serverless: calls/s",
                2.0,
                true,
                self.ratio(crowd, x, |it| it.per_second),
            ),
            (
                "256 in flight, x-serverless: CPU per call",
                0.4,
                false,
                self.ratio(crowd, x, |it| it.cpu),
            ),
            (
                "256 in flight, x-serverless: p99",
                0.6,
                false,
                self.ratio(crowd, x, |it| it.p99),
            ),
            (
                "256 in flight, authorization: calls/s",
                1.5,
                true,
                self.ratio(crowd, auth, |it| it.per_second),
            ),
            (
                "256 in flight, authorization: CPU per call",
                0.55,
                false,
                self.ratio(crowd, auth, |it| it.cpu),
            ),
            (
                "one at a time: median latency",
                1.0,
                false,
                self.ratio(lone, auth, |it| it.p50),
            ),
            (
                "one at a time: CPU per call",
                0.85,
                false,
                self.ratio(lone, auth, |it| it.cpu),
            ),
            (
                "64 streams: messages/s",
                1.4,
                true,
                self.ratio(stream, x, |it| it.per_second),
            ),
            (
                "64 KiB: calls/s",
                1.2,
                true,
                self.ratio(large, x, |it| it.per_second),
            ),
            ("1000 slow calls: times as fast", 9.0, true, 1.0 / slow),
            ("1000 slow calls: p99", 0.15, false, slow_p99),
            (
                "allocations per small call",
                15.0,
                false,
                ours.map_or(f64::NAN, |it| it.allocations),
            ),
            (
                "bytes allocated per small call",
                4096.0,
                false,
                ours.map_or(f64::NAN, |it| it.allocated),
            ),
            (
                "HTTP/2 bytes per small call, both ways",
                120.0,
                false,
                ours.map_or(f64::NAN, |it| it.http2),
            ),
        ]
    }

    /// Calls a second and CPU per call of every cell, as bars beside the baseline.
    pub(crate) fn svg(&self) -> String {
        const LEFT: f64 = 230.0;
        const PANEL: f64 = 300.0;
        const ROW: f64 = 34.0;
        let scale = PANEL / 2.5;
        let height = 70.0 + ROW * self.cells.len() as f64;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 880 {height}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<style>text{{fill:#444}} .a{{fill:#8ab4f8}} .x{{fill:#1a73e8}} .b{{stroke:#888}} \
             @media (prefers-color-scheme: dark) {{text{{fill:#ccc}}}}</style>\n"
        );
        for (panel, title) in [
            (0.0, "calls a second (longer is better)"),
            (1.0, "client CPU per call (shorter is better)"),
        ] {
            let x = LEFT + panel * (PANEL + 20.0);
            let line = x + scale;
            let _ = write!(
                svg,
                "<text x=\"{x}\" y=\"16\" font-weight=\"bold\">{title}</text>\n<text x=\"{line}\" y=\"34\" \
                 text-anchor=\"middle\">tonic = 1</text>\n<line class=\"b\" x1=\"{line}\" x2=\"{line}\" y1=\"38\" \
                 y2=\"{}\"/>\n",
                height - 26.0
            );
        }
        for (index, (cell, rows)) in self.cells.iter().enumerate() {
            let y = 44.0 + ROW * index as f64;
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{cell}</text>",
                LEFT - 10.0,
                y + 16.0
            );
            for (row, class) in [(1, "a"), (2, "x")] {
                let ratios = [rows[row].1.per_second, rows[row].1.cpu];
                for (panel, ratio) in ratios.into_iter().enumerate() {
                    let x = LEFT + panel as f64 * (PANEL + 20.0);
                    let top = y + (row as f64 - 1.0) * 13.0;
                    let width = ratio.min(2.4) * scale;
                    let _ = writeln!(
                        svg,
                        "<rect class=\"{class}\" x=\"{x}\" y=\"{top}\" width=\"{width:.1}\" height=\"11\"/><text \
                         x=\"{:.1}\" y=\"{}\" font-size=\"10\">{ratio:.2}</text>",
                        x + width + 4.0,
                        top + 9.0
                    );
                }
            }
        }
        let y = height - 8.0;
        let _ = write!(
            svg,
            "<rect class=\"a\" x=\"{LEFT}\" y=\"{}\" width=\"11\" height=\"11\"/><text x=\"{}\" y=\"{y}\">token in \
             authorization</text>\n<rect class=\"x\" x=\"{}\" y=\"{}\" width=\"11\" height=\"11\"/><text x=\"{}\" \
             y=\"{y}\">token in x-serverless-authorization</text>\n</svg>\n",
            y - 10.0,
            LEFT + 16.0,
            LEFT + 180.0,
            y - 10.0,
            LEFT + 196.0
        );
        svg
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
            "\none small call: allocations, bytes allocated; bytes both ways in HTTP/2, with TLS"
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
        writeln!(f, "\nfigures to reach")?;
        for (what, target, more, figure) in self.targets() {
            let reached = if more {
                figure >= target
            } else {
                figure <= target
            };
            let sign = if more { '≥' } else { '≤' };
            let verdict = if reached { "reached" } else { "not reached" };
            writeln!(f, "{what:46} {sign} {target:7.2} {figure:9.2}  {verdict}")?;
        }
        Ok(())
    }
}
