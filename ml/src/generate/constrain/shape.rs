//! Where a JSON answer stands, and bounds for what its schema leaves without: a small model likes to go on for ever.
//!
//! Bounds are wishes: at a bound, or when the token budget comes to its end, tokens that close what is open go before
//! all others that the grammar allows. What the schema demands is always possible.

use llguidance::toktrie::SimpleVob;

use super::table::{TokenTable, is_number};
use super::{prefer, prefer_others};

/// From this size on, a part of an answer is closed where the schema lets it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// Of a text.
    pub characters: usize,
    /// Of a list or an object.
    pub items: usize,
    /// Lists and objects in each other.
    pub depth: usize,
    /// Characters of a number; of more than 15 digits a program that reads it forgets some, and a bound may be met after all.
    pub digits: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { characters: 2000, items: 64, depth: 12, digits: 12 }
    }
}

/// Tokens that closing everything needs, beside one for each level.
const CLOSING_TOKENS: usize = 16;
/// This share of the budget is the part in which answers are brought to their end.
const CLOSING_SHARE: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Between,
    Text { escaped: bool, characters: usize },
    Number { length: usize },
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Level {
    list: bool,
    /// Items before the current one.
    items: usize,
}

/// A reader of JSON that knows no more than where it stands.
pub(super) struct Shape {
    limits: Limits,
    at: At,
    levels: Vec<Level>,
}

impl Shape {
    pub fn new(limits: Limits) -> Self {
        Self { limits, at: At::Between, levels: Vec::new() }
    }

    /// Takes the bytes of the next token.
    pub fn read(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.step(byte));
    }

    fn step(&mut self, byte: u8) {
        self.at = match self.at {
            At::Text { escaped: true, characters } => At::Text { escaped: false, characters },
            At::Text { characters, .. } => match byte {
                b'"' => At::Between,
                b'\\' => At::Text { escaped: true, characters: characters + 1 },
                // The later bytes of a character.
                0x80..=0xbf => At::Text { escaped: false, characters },
                _ => At::Text { escaped: false, characters: characters + 1 },
            },
            At::Number { length } if is_number(byte) => At::Number { length: length + 1 },
            At::Between | At::Number { .. } => self.outside(byte),
        };
    }

    fn outside(&mut self, byte: u8) -> At {
        match byte {
            b'"' => return At::Text { escaped: false, characters: 0 },
            b'-' | b'0'..=b'9' => return At::Number { length: 1 },
            b'[' | b'{' => self.levels.push(Level { list: byte == b'[', items: 0 }),
            b']' | b'}' => drop(self.levels.pop()),
            b',' => {
                if let Some(level) = self.levels.last_mut() {
                    level.items += 1;
                }
            }
            _ => {}
        }
        At::Between
    }

    /// Takes away what would go over the bounds, as long as something else is allowed.
    pub fn narrow(&self, allowed: &mut SimpleVob, table: &TokenTable, remaining: usize, budget: usize) {
        let closing_part = (CLOSING_TOKENS + 2 * self.levels.len()).max(budget / CLOSING_SHARE).min(budget / 2);
        let closing = remaining <= closing_part;
        match self.at {
            At::Text { characters, .. } => {
                if closing || characters >= self.limits.characters {
                    prefer(allowed, &table.quote);
                }
            }
            At::Number { length } => {
                if closing || length >= self.limits.digits {
                    prefer_others(allowed, &table.number);
                    // A number that must become greater than its digits so far does so at once.
                    prefer_others(allowed, &table.zero);
                } else {
                    prefer_others(allowed, &table.exponent_in_number);
                    prefer_others(allowed, &table.long_number);
                }
                self.close(allowed, table, closing);
            }
            At::Between => {
                prefer_others(allowed, &table.exponent);
                prefer_others(allowed, &table.long_number);
                self.close(allowed, table, closing);
            }
        }
    }

    fn close(&self, allowed: &mut SimpleVob, table: &TokenTable, closing: bool) {
        let Some(level) = self.levels.last() else { return };
        let full = level.items + 1 >= self.limits.items || self.levels.len() > self.limits.depth;
        if closing || full {
            prefer(allowed, if level.list { &table.close_list } else { &table.close_object });
        }
        if closing || self.levels.len() >= self.limits.depth {
            prefer_others(allowed, &table.open);
        }
    }
}
