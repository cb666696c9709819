//! Prices of models, as the settings give them: one a line, `*` for any text, the first that fits counts.

/// Of a million tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// A model's id, as in `openai/gpt-4.1`; `*` stands for any text.
    pub pattern: String,
    pub prompt: f64,
    pub answer: f64,
}

/// Reads a line such as `openai/gpt-4.1 2.00 8.00`.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse(line: &str) -> Result<Price, String> {
    let shown: String = line.chars().take(60).collect();
    let mut parts = line.split_whitespace().rev();
    let (Some(answer), Some(prompt)) = (parts.next(), parts.next()) else {
        return Err(format!("{shown:?} is not MODEL PROMPT-PRICE ANSWER-PRICE, as in openai/gpt-4.1 2.00 8.00"));
    };
    let mut names: Vec<&str> = parts.collect();
    names.reverse();
    let pattern = names.join(" ");
    if pattern.is_empty() {
        return Err(format!(
            "{shown:?} names no model: write its id, then both prices, as in openai/gpt-4.1 2.00 8.00"
        ));
    }
    let price = |text: &str| match text.parse::<f64>() {
        Ok(price) if price.is_finite() && (0.0..=1e6).contains(&price) => Ok(price),
        _ => Err(format!("{text:?} in {shown:?} is no price of a million tokens")),
    };
    Ok(Price { prompt: price(prompt)?, answer: price(answer)?, pattern })
}

/// The prices that can be read; the settings let no other be set.
pub fn all(lines: &[String]) -> Vec<Price> {
    lines.iter().filter_map(|line| parse(line).ok()).collect()
}

/// The first price that fits.
pub fn of<'a>(prices: &'a [Price], model: &str) -> Option<&'a Price> {
    prices.iter().find(|price| fits(&price.pattern, model))
}

impl Price {
    pub fn cost(&self, prompt_tokens: u64, answer_tokens: u64) -> f64 {
        (self.prompt * prompt_tokens as f64 + self.answer * answer_tokens as f64) / 1e6
    }
}

/// Whether a text fits a pattern; in time of their lengths multiplied at most.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star was, and up to where it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == text.get(t) {
            p += 1;
            t += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_or_refused_in_words() {
        let price = parse(" openai/gpt-4.1   2.00 8 ").unwrap();
        assert_eq!(price, Price { pattern: "openai/gpt-4.1".to_owned(), prompt: 2.0, answer: 8.0 });
        assert_eq!(price.cost(500_000, 1_000_000), 9.0);
        assert_eq!(parse("my model 1 2").unwrap().pattern, "my model");
        for (line, part) in [
            ("", "MODEL PROMPT-PRICE"),
            ("m 1", "names no model"),
            ("1 2", "names no model"),
            ("m one 2", "is no price"),
            ("m -1 2", "is no price"),
            ("m NaN 2", "is no price"),
            ("m 1 inf", "is no price"),
        ] {
            let why = parse(line).unwrap_err();
            assert!(why.contains(part), "{line}: {why}");
        }
    }

    #[test]
    fn the_first_that_fits_counts() {
        let prices = all(&["openai/gpt-4.1-mini 1 1", "openai/* 2 2", "*/big 3 3", "* 4 4"].map(str::to_owned));
        for (model, prompt) in
            [("openai/gpt-4.1-mini", 1.0), ("openai/gpt-4.1", 2.0), ("a/big", 3.0), ("openai", 4.0), ("", 4.0)]
        {
            assert_eq!(of(&prices, model).unwrap().prompt, prompt, "{model}");
        }
        assert_eq!(of(&prices[..3], "a/small"), None);
        assert!(fits("a*b*c", "a-b-b-c") && !fits("a*b*c", "a-b-b-d") && fits("**", ""));
        assert!(!fits(&"a*".repeat(2_000), &"a".repeat(1_000)), "a hostile pattern ends");
    }
}
