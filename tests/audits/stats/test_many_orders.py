"""Many orders at once: the same numbers as one after the other."""

import numpy as np
import pytest

from privgan_audits.questions.membership.statistic import ENSEMBLE, membership_findings, safe_membership
from privgan_audits.questions.near_copies.statistic import near_copy_findings, near_copy_ps
from privgan_audits.stats import many_orders as many
from privgan_audits.stats import statistics as st

SIZES = [(40, 20), (25, 60), (300, 5), (3, 2), (700, 301)]


@pytest.mark.parametrize(("members", "non_members"), SIZES)
def test_statistics_of_columns_are_those_of_each(members: int, non_members: int) -> None:
    rng = np.random.default_rng(members)
    orders = np.zeros((30, members + non_members), bool)
    orders[:, :non_members] = True
    rng.permuted(orders, axis=1, out=orders)
    orders[0] = np.arange(members + non_members) < non_members  # everything that can be extreme
    orders[1] = orders[0, ::-1]
    places = np.nonzero(orders)[1].reshape(30, non_members)
    before = many.members_before(places)
    np.testing.assert_allclose(many.aucs(before, members), [st.auc(order) for order in orders], rtol=1e-12)
    np.testing.assert_allclose(many.auc_ses(before, members), [st.auc_se(order) for order in orders], rtol=1e-12)
    for fpr, error in ((0.01, 0.05), (0.1, 0.01), (0.5, 0.2)):
        bounds = np.array([st.tpr_bounds(order, fpr, error) for order in orders])
        np.testing.assert_array_equal(np.stack(many.tpr_bounds(before, members, fpr, error), axis=1), bounds)
    np.testing.assert_array_equal(near_copy_ps(places, members), [near_copy_findings(order)["p"] for order in orders])
    patients = np.arange(members + non_members)
    for found, order in zip(safe_membership(places, members), orders, strict=True):
        slow = membership_findings({ENSEMBLE: patients}, order)
        assert found == pytest.approx(
            {**{key: slow[key] for key in found if key in slow}, "epsilon_lower_bound": 0.0}
        )
