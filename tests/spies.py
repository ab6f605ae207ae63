"""Libraries that tell somebody else how a program is used, or how it fails."""

from collections.abc import Iterable

CLIENTS = frozenset(
    {
        "amplitude",
        "analytics",
        "applicationinsights",
        "azure.monitor",
        "bugsnag",
        "clearml",
        "comet_ml",
        "countly",
        "datadog",
        "ddtrace",
        "elasticapm",
        "flwr.common.telemetry",
        "google_analytics",
        "honeybadger",
        "logfire",
        "mixpanel",
        "mlflow",
        "neptune",
        "newrelic",
        "nvflare.metrics",
        "opencensus",
        "opentelemetry",
        "posthog",
        "prometheus_client",
        "raven",
        "rollbar",
        "scarf",
        "segment",
        "sentry_sdk",
        "statsd",
        "telemetry",
        "wandb",
    }
)


def clients(modules: Iterable[str]) -> set[str]:
    """Those among modules, or packages that modules are in."""
    return {name for name in CLIENTS for module in modules if f"{module}.".startswith(f"{name}.")}
