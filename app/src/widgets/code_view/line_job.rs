//! Coloured code as sections of a text layout.

use egui::text::{LayoutJob, TextFormat};

use super::highlight::{Carry, Language, Token, line};
use crate::design::{Tokens, Type};

/// Adds a piece of code in the colour of its token.
pub fn append(tokens: &Tokens, job: &mut LayoutJob, text: &str, token: Token) {
    let c = &tokens.color;
    let color = match token {
        Token::Plain => c.text,
        Token::Keyword => c.code_keyword,
        Token::Type => c.code_type,
        Token::Function => c.code_function,
        Token::Text => c.code_string,
        Token::Number => c.code_number,
        Token::Comment => c.code_comment,
    };
    let format = TextFormat {
        font_id: tokens.font(Type::Code),
        line_height: Some(tokens.line_height(Type::Code)),
        color,
        ..TextFormat::default()
    };
    job.append(text, 0.0, format);
}

/// Adds one line, without its break, and returns what stays open after it. Tabs become four spaces.
pub fn colored(tokens: &Tokens, job: &mut LayoutJob, language: &Language, text: &str, carry: Carry) -> Carry {
    let (pieces, carry) = line(language, text, carry);
    for (range, token) in pieces {
        let piece = &text[range];
        if piece.contains(['\t', '\r']) {
            append(tokens, job, &piece.replace('\t', "    ").replace('\r', ""), token);
        } else {
            append(tokens, job, piece, token);
        }
    }
    carry
}
