//! The table of ratios: our figure, the peer's, and how many times better ours is.

use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Better {
    Higher,
    Lower,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub ours: Option<f64>,
    pub theirs: Option<f64>,
    pub better: Better,
}

impl Row {
    /// Takes `field` from the first line on each side.
    pub fn new(name: String, ours: &[Value], theirs: &[Value], field: &str, better: Better) -> Self {
        let figure = |lines: &[Value]| lines.first().and_then(|line| line[field].as_f64());
        Self { name, ours: figure(ours), theirs: figure(theirs), better }
    }

    /// Above 1 ours is better.
    fn ratio(&self) -> Option<f64> {
        let (ours, theirs) = (self.ours?, self.theirs?);
        Some(match self.better {
            Better::Higher => ours / theirs,
            Better::Lower => theirs / ours,
        })
    }
}

pub fn render(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(7);
    let mut text = format!("{:width$}  {:>12}  {:>12}  {:>6}\n", "subject", "ours", "peer", "ratio");
    for row in rows {
        let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        let ratio = row.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        text.push_str(&format!(
            "{:width$}  {:>12}  {:>12}  {:>6}\n",
            row.name,
            figure(row.ours),
            figure(row.theirs),
            ratio
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_ratio_above_one_means_that_ours_is_better() {
        let faster = Row::new("speed".into(), &[json!({"x": 20.0})], &[json!({"x": 10.0})], "x", Better::Higher);
        let quicker = Row::new("time".into(), &[json!({"x": 20.0})], &[json!({"x": 10.0})], "x", Better::Lower);
        let alone = Row::new("alone".into(), &[json!({"x": 20.0})], &[], "x", Better::Higher);
        let text = render(&[faster, quicker, alone]);
        let ends: Vec<&str> = text.lines().skip(1).map(|line| line.split_whitespace().last().unwrap()).collect();
        assert_eq!(ends, ["2.00", "0.50", "-"]);
    }
}
