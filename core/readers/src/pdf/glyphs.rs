//! Collects the letters of a page with their places while the page's drawing commands are carried out.

use std::collections::HashSet;

use hayro_interpret::font::{Glyph, GlyphRun};
use hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};
use rspa_ml::Cancel;

/// Letters of one page; no page that is read by people holds more.
const MOST_LETTERS: usize = 400_000;
/// Drawing commands of one page.
const MOST_COMMANDS: usize = 4_000_000;

/// A letter (or a ligature) with its place in points, from the upper left corner, turned so that its line of writing
/// runs to the right.
#[derive(Clone, Copy, Debug)]
pub struct Letter {
    pub character: char,
    /// Where it begins and ends along the line.
    pub start: f32,
    pub end: f32,
    /// The line it stands on, growing downwards.
    pub base: f32,
    pub size: f32,
    /// Quarter turns clockwise of the line of writing.
    pub turns: u8,
}

/// What ends the drawing of a page early; it is thrown through the interpreter, which knows no other way out.
pub struct Enough {
    pub cancelled: bool,
}

pub struct Collector<'c> {
    pub letters: Vec<Letter>,
    pub images: usize,
    /// Letters without a known character.
    pub unknown: usize,
    /// Letters drawn twice at one place to look bold.
    seen: HashSet<(char, i32, i32)>,
    commands: usize,
    width: f32,
    height: f32,
    cancel: &'c Cancel,
}

impl<'c> Collector<'c> {
    pub fn new((width, height): (f32, f32), cancel: &'c Cancel) -> Self {
        Self { letters: Vec::new(), images: 0, unknown: 0, seen: HashSet::new(), commands: 0, width, height, cancel }
    }

    fn count(&mut self) {
        self.commands += 1;
        let cancelled = self.cancel.is_cancelled();
        if cancelled || self.commands > MOST_COMMANDS || self.letters.len() > MOST_LETTERS {
            // Not a panic: no message is printed and the caller expects it.
            std::panic::resume_unwind(Box::new(Enough { cancelled }));
        }
    }

    fn add(&mut self, text: &BfString, transform: Affine, advance: Option<f64>, vertical: bool) {
        let origin = transform * Point::ZERO;
        let along = transform * Point::new(1_000.0, 0.0) - origin;
        let up = transform * Point::new(0.0, 1_000.0) - origin;
        let size = up.hypot();
        if !(origin.is_finite() && along.is_finite() && size.is_finite()) || size < 0.05 {
            return;
        }
        let margin = size.min(100.0);
        if origin.x < -margin
            || origin.y < -margin
            || origin.x > f64::from(self.width) + margin
            || origin.y > f64::from(self.height) + margin
        {
            return;
        }
        let direction = if vertical { -up } else { along };
        let turns = match (direction.x.abs() >= direction.y.abs(), direction.x >= 0.0, direction.y >= 0.0) {
            (true, true, _) => 0_u8,
            (false, _, true) => 1,
            (true, false, _) => 2,
            (false, _, false) => 3,
        };
        let (start, base) = match turns {
            0 => (origin.x, origin.y),
            1 => (origin.y, -origin.x),
            2 => (-origin.x, -origin.y),
            _ => (-origin.y, origin.x),
        };
        let advance = if vertical { size } else { advance.unwrap_or(500.0) / 1_000.0 * along.hypot() };
        let advance = advance.clamp(0.0, 20.0 * size);
        let mut push = |character: char, from: f64, to: f64| {
            let place =
                (character, (start + from).mul_add(4.0, 0.0) as i32, (base * 4.0) as i32 * 4 + i32::from(turns));
            if character.is_control() || (!character.is_whitespace() && !self.seen.insert(place)) {
                return;
            }
            self.letters.push(Letter {
                character,
                start: (start + from) as f32,
                end: (start + to) as f32,
                base: base as f32,
                size: size as f32,
                turns,
            });
        };
        match text {
            BfString::Char(character) => match ligature(*character) {
                None => push(*character, 0.0, advance),
                Some(letters) => spread(letters, advance, &mut push),
            },
            BfString::String(string) => {
                let letters: String = string.chars().take(16).collect();
                spread(&letters, advance, &mut push);
            }
        }
    }
}

fn spread(letters: &str, advance: f64, push: &mut impl FnMut(char, f64, f64)) {
    let step = advance / letters.chars().count().max(1) as f64;
    for (index, character) in letters.chars().enumerate() {
        push(character, step * index as f64, step * (index + 1) as f64);
    }
}

/// Ligatures that Unicode keeps for old fonts, as letters.
fn ligature(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{FB00}' => "ff",
        '\u{FB01}' => "fi",
        '\u{FB02}' => "fl",
        '\u{FB03}' => "ffi",
        '\u{FB04}' => "ffl",
        '\u{FB05}' | '\u{FB06}' => "st",
        _ => return None,
    })
}

/// The letter of a font that names no characters: TeX's own fonts keep letters at their ASCII places and ligatures
/// below them (Knuth, Computer Modern Typefaces, 1986, appendix F).
fn guess(code: u32) -> Option<BfString> {
    Some(BfString::Char(match code {
        0x0B => '\u{FB00}',
        0x0C => '\u{FB01}',
        0x0D => '\u{FB02}',
        0x0E => '\u{FB03}',
        0x0F => '\u{FB04}',
        0x7B => '\u{2013}',
        0x7C => '\u{2014}',
        0x21..=0x7E => char::from_u32(code)?,
        _ => return None,
    }))
}

impl<'a> Device<'a> for Collector<'_> {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        // Text that is filled and then stroked comes twice; the set of places seen drops the second.
        let _: &DrawMode = mode;
        let vertical = run.writing_mode() == WritingMode::Vertical;
        for glyph in run.glyphs() {
            self.count();
            let advance = match &**glyph {
                Glyph::Outline(glyph) => glyph.advance_width(),
                Glyph::Type3(glyph) => glyph.advance_width(),
            };
            let text = match glyph.as_unicode() {
                Some(BfString::Char('\u{FFFD}' | '\0')) => None,
                Some(BfString::String(text)) if text.is_empty() => None,
                text => text,
            };
            let known = text.is_some();
            let Some(text) = text.or_else(|| guess(glyph.char_code())) else {
                self.unknown += usize::from(glyph.char_code() > 32);
                continue;
            };
            self.unknown += usize::from(!known && matches!(**glyph, Glyph::Outline(_)));
            self.add(&text, props.transform * glyph.transform(), advance.map(f64::from), vertical);
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        self.count();
    }

    fn draw_rect(&mut self, _: &Rect, _: DrawProps<'a>, _: &DrawMode) {
        self.count();
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        // Each form that is drawn comes by here, also one that only draws others.
        self.commands += 30;
        self.count();
    }

    fn push_clip_rect(&mut self, _: &Rect) {
        self.count();
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {
        self.count();
    }

    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {
        self.count();
        self.images += 1;
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}
