//! The icons: Phosphor regular, cut to those listed here, as a font.

use egui::{FontFamily, FontId, RichText};

/// The family that the icon font is installed under.
pub const FAMILY: &str = "icons";

macro_rules! icons {
    ($($name:ident => $code:literal,)*) => {
        /// A picture of 16 points that stands beside text, or alone on a button with a name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Icon {
            $($name,)*
        }

        impl Icon {
            /// All of them, for the gallery.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The character of the icon in the icon font.
            pub const fn code(self) -> char {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

icons! {
    Activity => '\u{e000}',
    ArrowClockwise => '\u{e036}',
    ArrowCounterClockwise => '\u{e038}',
    ArrowDown => '\u{e03e}',
    ArrowLeft => '\u{e058}',
    ArrowRight => '\u{e06c}',
    ArrowSquareOut => '\u{e5de}',
    ArrowUp => '\u{e08e}',
    ArrowsClockwise => '\u{e094}',
    ArrowsIn => '\u{e09a}',
    ArrowsOut => '\u{e0a2}',
    ArrowsSplit => '\u{ed3c}',
    Article => '\u{e0a8}',
    At => '\u{e0ac}',
    Bell => '\u{e0ce}',
    Books => '\u{e758}',
    Broom => '\u{ec54}',
    CaretDown => '\u{e136}',
    CaretLeft => '\u{e138}',
    CaretRight => '\u{e13a}',
    CaretUp => '\u{e13c}',
    CaretUpDown => '\u{e140}',
    ChartLine => '\u{e154}',
    ChatCircle => '\u{e168}',
    ChatCircleText => '\u{e16e}',
    Check => '\u{e182}',
    CheckCircle => '\u{e184}',
    Circle => '\u{e18a}',
    CircleHalf => '\u{e18c}',
    Clock => '\u{e19a}',
    Code => '\u{e1bc}',
    Columns => '\u{e546}',
    Command => '\u{e1c4}',
    Copy => '\u{e1ca}',
    Cpu => '\u{e610}',
    Cube => '\u{e1da}',
    CursorText => '\u{e7d8}',
    Database => '\u{e1de}',
    Desktop => '\u{e560}',
    DotOutline => '\u{ece0}',
    DotsThree => '\u{e1fe}',
    DotsThreeVertical => '\u{e208}',
    DownloadSimple => '\u{e20c}',
    Export => '\u{eaf0}',
    Eye => '\u{e220}',
    EyeSlash => '\u{e224}',
    File => '\u{e230}',
    FileCode => '\u{e914}',
    FileDoc => '\u{eb1e}',
    FileHtml => '\u{eb38}',
    FilePdf => '\u{e702}',
    FileText => '\u{e23a}',
    Folder => '\u{e24a}',
    FolderOpen => '\u{e256}',
    FolderPlus => '\u{e258}',
    Funnel => '\u{e266}',
    Gauge => '\u{e628}',
    GearSix => '\u{e272}',
    Globe => '\u{e288}',
    GlobeX => '\u{e286}',
    Graph => '\u{eb58}',
    HardDrive => '\u{e29e}',
    Heartbeat => '\u{e2ac}',
    Hourglass => '\u{e2b2}',
    House => '\u{e2c2}',
    ImageSquare => '\u{e2cc}',
    Info => '\u{e2ce}',
    Key => '\u{e2d6}',
    Keyboard => '\u{e2d8}',
    Lightning => '\u{e2de}',
    Link => '\u{e2e2}',
    LinkBreak => '\u{e2e4}',
    List => '\u{e2f0}',
    ListMagnifyingGlass => '\u{ebe0}',
    Lock => '\u{e2fa}',
    LockOpen => '\u{e306}',
    MagnifyingGlass => '\u{e30c}',
    MagnifyingGlassMinus => '\u{e30e}',
    MagnifyingGlassPlus => '\u{e310}',
    MarkdownLogo => '\u{e508}',
    Memory => '\u{e9c4}',
    Minus => '\u{e32a}',
    MinusCircle => '\u{e32c}',
    Moon => '\u{e330}',
    NotePencil => '\u{e34c}',
    Notebook => '\u{e34e}',
    Package => '\u{e390}',
    Palette => '\u{e6c8}',
    PaperPlaneRight => '\u{e396}',
    Paperclip => '\u{e39a}',
    Pause => '\u{e39e}',
    PencilSimple => '\u{e3b4}',
    Play => '\u{e3d0}',
    Plus => '\u{e3d4}',
    PlusCircle => '\u{e3d6}',
    Prohibit => '\u{e3de}',
    Pulse => '\u{e000}',
    PushPin => '\u{e3e2}',
    Question => '\u{e3e8}',
    Quotes => '\u{e660}',
    Robot => '\u{e762}',
    Rows => '\u{e5a2}',
    SelectionBackground => '\u{eaf8}',
    ShareNetwork => '\u{e408}',
    Shield => '\u{e40a}',
    ShieldCheck => '\u{e40c}',
    ShieldWarning => '\u{e412}',
    SidebarSimple => '\u{ec24}',
    SignOut => '\u{e42a}',
    Sliders => '\u{e432}',
    SlidersHorizontal => '\u{e434}',
    Sparkle => '\u{e6a2}',
    Spinner => '\u{e66a}',
    SplitHorizontal => '\u{e872}',
    SplitVertical => '\u{e876}',
    SquareSplitHorizontal => '\u{e870}',
    SquareSplitVertical => '\u{e874}',
    SquaresFour => '\u{e464}',
    Star => '\u{e46a}',
    Stop => '\u{e46c}',
    Sun => '\u{e472}',
    TerminalWindow => '\u{eae8}',
    TextAa => '\u{e6ee}',
    TextT => '\u{e48a}',
    ThumbsDown => '\u{e48c}',
    ThumbsUp => '\u{e48e}',
    Trash => '\u{e4a6}',
    Tray => '\u{e4aa}',
    TreeStructure => '\u{e67c}',
    UploadSimple => '\u{e4c0}',
    User => '\u{e4c2}',
    Warning => '\u{e4e0}',
    WarningCircle => '\u{e4e2}',
    WifiSlash => '\u{e4f2}',
    X => '\u{e4f6}',
    XCircle => '\u{e4f8}',
}

impl Icon {
    /// The icon as text of this size; it takes the colour of the text around it.
    pub fn rich(self, size: f32) -> RichText {
        RichText::new(self.code()).font(Self::font(size))
    }

    pub fn font(size: f32) -> FontId {
        FontId::new(size, FontFamily::Name(FAMILY.into()))
    }
}
