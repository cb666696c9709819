//! The family of usage: what models and features were used, reports, export, deletion.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::usage::{UsageRequest as Request, UsageResponse as Response};
use crate::engine::{Context, Service};
use crate::model::{Timestamp, UsageCall};
use crate::storage::usage as stored;
use crate::usage::{Recording, UsageLog, UsageParts, export, prices, report};

/// What a crash can cost.
const WRITTEN_AFTER: Duration = Duration::from_secs(2);

pub struct Usage {
    log: Arc<UsageLog>,
}

impl Service for Usage {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        let settings = ctx.settings.clone();
        let log = UsageLog::new(UsageParts {
            main: ctx.databases.main().clone(),
            profile: ctx.profile,
            clock: ctx.clock.clone(),
            recording: Box::new(move || {
                let current = settings.current();
                Recording { calls: current.usage.record, features: current.usage.features }
            }),
        });
        Ok(Self { log: Arc::new(log) })
    }

    fn stop(&self) {
        write(&self.log);
    }
}

impl Usage {
    /// Counts a call of a model; written a moment later, together with others.
    pub fn count(&self, ctx: &Context, call: UsageCall) {
        if self.log.call(call) {
            self.plan(ctx);
        }
    }

    /// Counts one use of a feature.
    ///
    /// # Errors
    /// When this is no name of one.
    pub fn count_feature(&self, ctx: &Context, feature: &str) -> Result<(), ApiError> {
        match self.log.feature(feature) {
            Some(true) => self.plan(ctx),
            Some(false) => {}
            None => {
                return Err(ApiError::validation(
                    "this is no name of a feature",
                    "Name it with small letters, digits and dots, such as page.chat.",
                ));
            }
        }
        Ok(())
    }

    fn plan(&self, ctx: &Context) {
        let (log, inner) = (self.log.clone(), ctx.clone());
        ctx.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(WRITTEN_AFTER) => {}
                // The end of the service writes it.
                () = inner.shutdown.cancelled() => return,
            }
            let written = inner.blocking(move || {
                write(&log);
                Ok(())
            });
            if let Err(error) = written.await {
                tracing::warn!(%error, "the usage was not written");
            }
        });
    }
}

fn write(log: &UsageLog) {
    if let Err(error) = log.flush() {
        tracing::warn!(%error, "the usage was not written and waits");
    }
}

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    // Every one of them reads or writes the database, or may.
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    let service = ctx.usage()?;
    let (main, zone) = (ctx.databases.main(), TimeZone::system());
    let settings = ctx.settings.current().usage.clone();
    let now = ctx.clock.now();
    if !matches!(request, Request::CountFeature(_)) {
        service.log.flush()?;
    }
    Ok(match request {
        Request::GetUsage(get) => {
            let from = report::first_moment(now, get.query.days, &zone);
            let hours = stored::hours(main, ctx.profile, from)?;
            let prices = prices::all(&settings.prices);
            let (currency, recording) = (settings.currency.as_str(), settings.record);
            let ground = report::Ground { now, zone: &zone, prices: &prices, currency, recording };
            Response::GetUsage(report::report(&hours, &get.query, &ground))
        }
        Request::ListFeatureUse(_) => {
            Response::ListFeatureUse(report::features(stored::features(main, ctx.profile)?, &zone))
        }
        Request::CountFeature(count) => Response::CountFeature(service.count_feature(ctx, &count.feature)?),
        Request::ExportUsage(wanted) => {
            let hours = stored::hours(main, ctx.profile, Timestamp(0))?;
            let features = report::features(stored::features(main, ctx.profile)?, &zone);
            let prices = prices::all(&settings.prices);
            let text = export::text(wanted.format, &hours, &features, &prices, &settings.currency, &zone)?;
            ctx.happened("usage.exported", "The usage was exported");
            Response::ExportUsage(text)
        }
        Request::DeleteUsage(delete) => {
            let days = delete.older_than_days;
            let before = (days > 0).then(|| report::first_moment(now, days, &zone));
            let removed = service.log.delete(before)?;
            ctx.happened("usage.deleted", &format!("{removed} entries of the usage were deleted"));
            Response::DeleteUsage(removed)
        }
    })
}
