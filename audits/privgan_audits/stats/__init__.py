"""Statistics that know no images: functions of an order of patients, and of how they could be relabelled."""
