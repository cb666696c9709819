//! The tool that fits a straight line, or a plane, through a table's numbers.

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, wrong};
use super::data::least_squares::LeastSquares;
use super::data::number::show;
use super::data::table;
use super::output::Page;
use super::{Proposal, Scope, Tool, ToolSpec, schema, table_query};
use crate::api::ApiError;
use crate::model::{Permission, ToolEffect, ToolOutput};

const MOST_PREDICTORS: usize = 12;

pub struct Regression;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    data: Option<String>,
    y: String,
    x: Vec<String>,
}

impl Arguments {
    fn check(&self) -> Result<(), ApiError> {
        if self.file.is_some() == self.data.is_some() {
            return Err(wrong("give either `file` or `data`"));
        }
        if self.x.is_empty() || self.x.len() > MOST_PREDICTORS {
            return Err(wrong(format!("`x` takes 1 to {MOST_PREDICTORS} columns")));
        }
        Ok(())
    }
}

impl Tool for Regression {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "regression".into(),
            title: "Fit a regression".into(),
            description:
                "Fits y = a + b1·x1 + b2·x2 … by ordinary least squares over the rows of a table: coefficients, \
                          standard errors, R² and n."
                    .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &table_query::with_source(vec![
                    ("y", schema::text(200, "Column that is explained.")),
                    (
                        "x",
                        schema::list(schema::text(200, "Column."), MOST_PREDICTORS as u32, "Columns that explain it."),
                    ),
                ]),
                &["y", "x"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        given.check()?;
        table_query::look("Fit", given.file.as_deref(), scope)
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        given.check()?;
        let table = table::load(scope, given.file.as_deref(), given.data.as_deref())?;
        let y = table.numeric(&given.y)?;
        let x = given.x.iter().map(|name| table.numeric(name)).collect::<Result<Vec<_>, _>>()?;
        if x.contains(&y) || (1..x.len()).any(|index| x[..index].contains(&x[index])) {
            return Err(wrong("each column may stand once, in `y` or in `x`"));
        }
        let read = |row: &table::Row<'_>, into: &mut Vec<f64>| -> Option<f64> {
            into.clear();
            for column in &x {
                into.push(table.number(row, *column)?);
            }
            table.number(row, y)
        };
        // Taken from their means, large numbers that differ little keep their digits.
        let (mut means, mut mean_y, mut count) = (vec![0.0; x.len()], 0.0, 0_u64);
        let mut values = Vec::with_capacity(x.len());
        let total = table.each(scope, |row| {
            if let Some(outcome) = read(row, &mut values) {
                count += 1;
                let share = 1.0 / count as f64;
                mean_y += (outcome - mean_y) * share;
                for (mean, value) in means.iter_mut().zip(&values) {
                    *mean += (value - *mean) * share;
                }
            }
            Ok(true)
        })?;
        let parameters = x.len() as u64 + 1;
        if count <= parameters {
            return Err(wrong(format!("only {count} rows have all the numbers; {} are needed", parameters + 1)));
        }
        let mut fit = LeastSquares::new(x.len());
        table.each(scope, |row| {
            if let Some(outcome) = read(row, &mut values) {
                for (value, mean) in values.iter_mut().zip(&means) {
                    *value -= mean;
                }
                fit.add(&mut values, outcome - mean_y);
            }
            Ok(true)
        })?;
        let names: Vec<&str> = x.iter().map(|column| table.columns[*column].as_str()).collect();
        let fit = fit.solve().map_err(|column| match column {
            0 => wrong(format!("{} never changes, so nothing can be told of it", names[0])),
            _ => wrong(format!(
                "{} never changes or follows exactly from the columns before it (collinear); leave it out",
                names[column]
            )),
        })?;
        let free = count - parameters;
        let variance = fit.residual_squares / free as f64;
        let error = |value: f64| (variance * value).max(0.0).sqrt();
        let intercept = mean_y - fit.coefficients.iter().zip(&means).map(|(b, mean)| b * mean).sum::<f64>();
        let spread: f64 = (0..x.len())
            .flat_map(|a| (0..x.len()).map(move |b| (a, b)))
            .map(|(a, b)| means[a] * fit.inverse[a][b] * means[b])
            .sum();
        let intercept_error = error(1.0 / count as f64 + spread);
        let explained = match fit.total_squares > 0.0 {
            true => Some(1.0 - fit.residual_squares / fit.total_squares),
            false => None,
        };
        let adjusted = explained.map(|share| 1.0 - (1.0 - share) * (count - 1) as f64 / free as f64);
        let y_name = &table.columns[y];
        let mut page = Page::new();
        page.line(&format!(
            "{y_name} explained by {}: n = {count} of {total} rows, the others lack a number.",
            names.join(", ")
        ));
        table.notes.iter().for_each(|note| {
            page.line(note);
        });
        page.line("term | coefficient | standard error | t");
        let t = |value: f64, error: f64| if error > 0.0 { show(value / error) } else { "-".to_owned() };
        let line = |name: &str, value: f64, error: f64| {
            format!("{name} | {} | {} | {}", show(value), show(error), t(value, error))
        };
        page.line(&line("(intercept)", intercept, intercept_error));
        let mut terms =
            vec![json!({"term": "(intercept)", "coefficient": intercept, "standard_error": intercept_error})];
        for (index, name) in names.iter().enumerate() {
            let (value, error) = (fit.coefficients[index], error(fit.inverse[index][index]));
            page.line(&line(name, value, error));
            terms.push(json!({"term": name, "coefficient": value, "standard_error": error}));
        }
        let word = |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), show);
        page.line(&format!(
            "R² {}, adjusted {}, residual standard deviation {}, {free} degrees of freedom",
            word(explained),
            word(adjusted),
            show(variance.sqrt())
        ));
        page.line("A fit tells how numbers go together, not what causes what.");
        let data = json!({
            "n": count, "terms": terms, "r_squared": explained, "adjusted_r_squared": adjusted,
            "residual_sd": variance.sqrt(), "degrees_of_freedom": free,
        });
        Ok(ToolOutput { text: page.finish("lines"), data: Some(data), ..ToolOutput::default() })
    }
}
