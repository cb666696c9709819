//! Tokens, time, cost, and use of features: looked at, exported, deleted.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{FeatureUse, UsageFormat, UsageQuery, UsageReport};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetUsage {
    pub query: UsageQuery,
}

/// The most used first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListFeatureUse {}

/// Counts one use of a feature, such as `page.chat`; ignored when the settings do not let it be kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CountFeature {
    pub feature: String,
}

/// All that is kept, as text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportUsage {
    pub format: UsageFormat,
}

/// What is older than so many local days; 0 deletes all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteUsage {
    pub older_than_days: u32,
}

family!(Usage, UsageRequest, UsageResponse {
    GetUsage => UsageReport,
    ListFeatureUse => Vec<FeatureUse>,
    CountFeature => (),
    ExportUsage => String,
    DeleteUsage => u64,
});

impl UsageRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::GetUsage(_)
            | Self::ListFeatureUse(_)
            | Self::CountFeature(_)
            | Self::ExportUsage(_)
            | Self::DeleteUsage(_) => Guard::Open,
        }
    }
}
