//! The pictures of agents.

use crate::design::Icon;

/// The icons that a person can choose, by the name that is kept.
pub const AVATARS: [(&str, Icon); 16] = [
    ("robot", Icon::Robot),
    ("chat", Icon::ChatCircle),
    ("chart_bar", Icon::ChartBar),
    ("pen", Icon::PencilSimple),
    ("gear", Icon::GearSix),
    ("magnifying_glass", Icon::MagnifyingGlass),
    ("newspaper", Icon::Newspaper),
    ("list_checks", Icon::ListChecks),
    ("envelope", Icon::Envelope),
    ("receipt", Icon::Receipt),
    ("git_commit", Icon::GitCommit),
    ("camera", Icon::Camera),
    ("brain", Icon::Brain),
    ("lightbulb", Icon::Lightbulb),
    ("table", Icon::Table),
    ("wrench", Icon::Wrench),
];

pub fn avatar(name: &str) -> Icon {
    AVATARS.iter().find(|(known, _)| *known == name).map_or(Icon::Robot, |(_, icon)| *icon)
}
