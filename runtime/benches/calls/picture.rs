//! The picture.

use crate::report::Row;
use std::fmt::Write as _;

/// Calls a second and CPU per call of every cell, as bars beside the baseline.
pub(crate) fn svg(cells: &[Row]) -> String {
    const LEFT: f64 = 230.0;
    const PANEL: f64 = 300.0;
    const ROW: f64 = 34.0;
    let scale = PANEL / 2.5;
    let height = 70.0 + ROW * cells.len() as f64;
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
    for (index, (cell, rows)) in cells.iter().enumerate() {
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
