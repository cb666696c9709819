//! Which reader fits a file: by its name, by a shebang, and by whether its first bytes are text.

use std::path::Path;

use crate::DocumentKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Markdown,
    Text,
    Code,
    Html,
    Pdf,
    Docx,
    /// Also XLSM and XLSB.
    Xlsx,
    Pptx,
    /// OpenDocument text, sheets and slides.
    Odf,
    Epub,
    Csv,
    /// One message.
    Email,
    /// Many messages.
    Mbox,
    /// The name says nothing: text if its bytes are.
    Unknown,
}

impl Format {
    pub fn kind(self) -> DocumentKind {
        match self {
            Self::Markdown => DocumentKind::Markdown,
            Self::Text | Self::Unknown => DocumentKind::Text,
            Self::Code => DocumentKind::Code,
            Self::Html => DocumentKind::Html,
            Self::Pdf => DocumentKind::Pdf,
            Self::Docx | Self::Odf => DocumentKind::Docx,
            Self::Xlsx => DocumentKind::Xlsx,
            Self::Pptx => DocumentKind::Pptx,
            Self::Epub => DocumentKind::Epub,
            Self::Csv => DocumentKind::Csv,
            Self::Email | Self::Mbox => DocumentKind::Email,
        }
    }

    /// Its files are text that a person could read and write as it is.
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::Markdown
                | Self::Text
                | Self::Code
                | Self::Html
                | Self::Csv
                | Self::Email
                | Self::Mbox
                | Self::Unknown
        )
    }
}

/// Formats that are known by one of these endings.
const BY_ENDING: &[(&str, Format)] = &[
    ("pdf", Format::Pdf),
    ("docx", Format::Docx),
    ("docm", Format::Docx),
    ("dotx", Format::Docx),
    ("xlsx", Format::Xlsx),
    ("xlsm", Format::Xlsx),
    ("xltx", Format::Xlsx),
    ("xlsb", Format::Xlsx),
    ("pptx", Format::Pptx),
    ("pptm", Format::Pptx),
    ("ppsx", Format::Pptx),
    ("odt", Format::Odf),
    ("ott", Format::Odf),
    ("ods", Format::Odf),
    ("odp", Format::Odf),
    ("epub", Format::Epub),
    ("csv", Format::Csv),
    ("tsv", Format::Csv),
    ("eml", Format::Email),
    ("mbox", Format::Mbox),
    ("mbx", Format::Mbox),
];

const MARKDOWN: &[&str] = &["md", "markdown", "mdown", "mkd", "mdx", "mdwn"];
const HTML: &[&str] = &["html", "htm", "xhtml"];
const TEXT: &[&str] = &[
    "txt", "text", "log", "rst", "adoc", "asciidoc", "org", "tex", "bib", "srt", "vtt", "po", "nfo", "ics", "vcf",
    "rtfd", "wiki", "textile", "pod", "1", "5", "8",
];
const CODE: &[&str] = &[
    "rs",
    "py",
    "pyi",
    "js",
    "mjs",
    "cjs",
    "jsx",
    "ts",
    "tsx",
    "go",
    "c",
    "h",
    "cc",
    "cpp",
    "cxx",
    "hpp",
    "hh",
    "hxx",
    "java",
    "cs",
    "rb",
    "php",
    "sh",
    "bash",
    "zsh",
    "fish",
    "ps1",
    "json",
    "json5",
    "jsonc",
    "yaml",
    "yml",
    "toml",
    "css",
    "scss",
    "sass",
    "less",
    "sql",
    "xml",
    "xsd",
    "xsl",
    "kt",
    "kts",
    "swift",
    "scala",
    "lua",
    "pl",
    "pm",
    "r",
    "jl",
    "hs",
    "ml",
    "mli",
    "fs",
    "fsx",
    "clj",
    "cljs",
    "edn",
    "ex",
    "exs",
    "erl",
    "hrl",
    "dart",
    "zig",
    "nim",
    "v",
    "vhd",
    "asm",
    "s",
    "cmake",
    "mk",
    "gradle",
    "groovy",
    "proto",
    "thrift",
    "graphql",
    "gql",
    "tf",
    "hcl",
    "nix",
    "vue",
    "svelte",
    "astro",
    "ini",
    "cfg",
    "conf",
    "properties",
    "env",
    "bat",
    "cmd",
    "m",
    "mm",
    "cu",
    "cl",
    "glsl",
    "wgsl",
    "hlsl",
    "vert",
    "frag",
    "wat",
    "wit",
    "el",
    "lisp",
    "scm",
    "rkt",
    "tcl",
    "vim",
    "awk",
    "sed",
    "diff",
    "patch",
    "d",
    "pas",
    "f90",
    "f",
    "ada",
    "adb",
    "cob",
    "sol",
    "ron",
    "kdl",
    "jinja",
    "j2",
    "hbs",
    "ejs",
    "tmpl",
];
const CODE_NAMES: &[&str] = &[
    "makefile",
    "dockerfile",
    "containerfile",
    "rakefile",
    "gemfile",
    "justfile",
    "vagrantfile",
    "jenkinsfile",
    "procfile",
    "cmakelists.txt",
    "build",
    "workspace",
];
/// Names that are never text: not opened at all.
const BINARY: &[&str] = &[
    "png",
    "jpg",
    "jpeg",
    "gif",
    "bmp",
    "ico",
    "webp",
    "avif",
    "tif",
    "tiff",
    "heic",
    "psd",
    "svgz",
    "mp3",
    "mp4",
    "m4a",
    "m4v",
    "wav",
    "flac",
    "ogg",
    "opus",
    "webm",
    "mkv",
    "avi",
    "mov",
    "zip",
    "gz",
    "bz2",
    "xz",
    "zst",
    "7z",
    "rar",
    "tar",
    "tgz",
    "jar",
    "war",
    "whl",
    "crate",
    "deb",
    "rpm",
    "iso",
    "dmg",
    "exe",
    "dll",
    "so",
    "dylib",
    "a",
    "o",
    "obj",
    "lib",
    "rlib",
    "rmeta",
    "class",
    "pyc",
    "pyo",
    "wasm",
    "bin",
    "dat",
    "db",
    "sqlite",
    "sqlite3",
    "redb",
    "gguf",
    "safetensors",
    "onnx",
    "pt",
    "pth",
    "npy",
    "npz",
    "parquet",
    "arrow",
    "ttf",
    "otf",
    "woff",
    "woff2",
    "eot",
    "pdb",
    "pack",
    "idx",
    "doc",
    "xls",
    "ppt",
    "msi",
    "appimage",
    "swp",
    "f32",
    "lockb",
    "mo",
    "bak",
    "tmp",
    "part",
    "crdownload",
];

/// The format that a file's name promises; none if it is known to hold no text.
pub fn format_of(path: &Path) -> Option<Format> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    if CODE_NAMES.contains(&name.as_str()) {
        return Some(Format::Code);
    }
    let extension = match path.extension() {
        Some(extension) => extension.to_string_lossy().to_lowercase(),
        None => return Some(Format::Unknown),
    };
    let extension = extension.as_str();
    if MARKDOWN.contains(&extension) {
        Some(Format::Markdown)
    } else if CODE.contains(&extension) {
        Some(Format::Code)
    } else if HTML.contains(&extension) {
        Some(Format::Html)
    } else if TEXT.contains(&extension) {
        Some(Format::Text)
    } else if let Some((_, format)) = BY_ENDING.iter().find(|(ending, _)| *ending == extension) {
        Some(*format)
    } else if BINARY.contains(&extension) {
        None
    } else {
        Some(Format::Unknown)
    }
}

/// The place of a word in bytes.
pub fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let first = *word.first()?;
    let mut from = 0;
    while let Some(offset) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        let at = from + offset;
        if bytes[at..].starts_with(word) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// The format that a file's bytes show, whatever its name; none for text and for what has no reader.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"%PDF-") {
        return Some(Format::Pdf);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        let names: [(&[u8], Format); 6] = [
            (b"application/epub+zip", Format::Epub),
            (b"application/vnd.oasis.opendocument.", Format::Odf),
            (b"word/document.xml", Format::Docx),
            (b"xl/workbook.", Format::Xlsx),
            (b"ppt/presentation.xml", Format::Pptx),
            (b"META-INF/container.xml", Format::Epub),
        ];
        // The first two stand unpacked at the beginning of the archive.
        let head = &bytes[..bytes.len().min(200)];
        return names
            .iter()
            .enumerate()
            .find(|(index, (name, _))| find(if *index < 2 { head } else { bytes }, name).is_some())
            .map(|(_, (_, format))| *format);
    }
    None
}

/// The format to read a file with: its bytes decide where they show something else than its name.
pub fn settle(format: Format, bytes: &[u8]) -> Format {
    if let Some(found) = sniff(bytes) {
        return found;
    }
    let head = &bytes[..bytes.len().min(1_024)];
    match format {
        // Some begin with other bytes.
        Format::Pdf => Format::Pdf,
        format if !format.is_text() && !bytes.starts_with(b"PK") => {
            if find(head, b"%PDF-").is_some() {
                return Format::Pdf;
            }
            let lower = head.to_ascii_lowercase();
            // Web applications send pages under the names of sheets.
            if [b"<html".as_slice(), b"<!doctype html", b"<table"].iter().any(|sign| find(&lower, sign).is_some()) {
                return Format::Html;
            }
            format
        }
        Format::Email if bytes.starts_with(b"From ") => Format::Mbox,
        Format::Mbox if !bytes.starts_with(b"From ") => Format::Email,
        format => format,
    }
}

/// Whether a file that no name explains holds nothing to read: its first bytes are neither text nor those of a
/// format that has a reader.
pub fn looks_binary(bytes: &[u8]) -> bool {
    is_binary(bytes) && sniff(bytes).is_none()
}

/// Whether these first bytes of a file cannot be text: NUL bytes that are not UTF-16, or many control characters.
pub fn is_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(8192)];
    if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) {
        return false;
    }
    if head.contains(&0) {
        return super::text::utf16_without_mark(head).is_none();
    }
    let control =
        head.iter().filter(|&&byte| byte < 32 && !matches!(byte, b'\n' | b'\r' | b'\t' | 12 | 27 | 8)).count();
    control * 20 > head.len().max(20)
}

/// A script's first line names its interpreter.
pub fn has_shebang(bytes: &[u8]) -> bool {
    bytes.starts_with(b"#!/") || bytes.starts_with(b"#! /")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_and_unknown_names_are_looked_into() {
        let check = |name: &str, expected: Option<Format>| assert_eq!(format_of(Path::new(name)), expected, "{name}");
        check("a/README.md", Some(Format::Markdown));
        check("Makefile", Some(Format::Code));
        check("x.RS", Some(Format::Code));
        check("photo.JPG", None);
        check("notes", Some(Format::Unknown));
        check("paper.pdf", Some(Format::Pdf));
        check("letter.docx", Some(Format::Docx));
        check("table.XLSX", Some(Format::Xlsx));
        check("mail.eml", Some(Format::Email));
    }

    #[test]
    fn bytes_decide_where_names_lie() {
        assert_eq!(settle(Format::Docx, b"%PDF-1.7 ..."), Format::Pdf);
        assert_eq!(settle(Format::Unknown, b"PK\x03\x04..........word/document.xml"), Format::Docx);
        assert_eq!(settle(Format::Text, b"PK\x03\x04....mimetypeapplication/epub+zip"), Format::Epub);
        assert_eq!(settle(Format::Xlsx, b"<html><table>"), Format::Html);
        assert_eq!(settle(Format::Unknown, b"<html><table>"), Format::Unknown);
        assert!(!looks_binary(b"PK\x03\x04\0\0\0\0xl/workbook.xml"));
        assert!(looks_binary(b"PK\x03\x04\0\0\0\0other"));
    }

    #[test]
    fn binary_is_told_from_text() {
        assert!(looks_binary(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0]));
        assert!(!looks_binary("Grüße, 世界\n".as_bytes()));
        assert!(!looks_binary(b""));
        let utf16: Vec<u8> = "hello world, plainly".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(!looks_binary(&utf16));
    }
}
