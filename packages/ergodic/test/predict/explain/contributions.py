"""Golden values of attributions.test.ts, by XGBoost 3.0.0: python3 contributions.py > contributions.json

Three classes, gaps, and depth 4, so that columns repeat on paths. Trees are written as XGBoost's own arrays.
"""
import json

import numpy as np
import xgboost as xgb

g = np.random.default_rng(20240602)
n, m = 300, 5
x = np.round(g.standard_normal((n, m)), 2)
x[g.random((n, m)) < 0.15] = np.nan
z = np.where(np.isnan(x[:, 0]), 0.5, x[:, 0]) + np.where(np.isnan(x[:, 1]), 0, x[:, 1] * (x[:, 2] > 0))
y = (z > -0.4).astype(int) + (z > 0.6)
data = xgb.DMatrix(x, label=y)
params = {"objective": "multi:softprob", "num_class": 3, "max_depth": 4, "eta": 0.4, "base_score": 0.5, "seed": 1, "nthread": 1}
booster = xgb.train(params, data, num_boost_round=4)
model = json.loads(booster.save_raw("json"))["learner"]
trees = model["gradient_booster"]["model"]
some = xgb.DMatrix(x[:8])
number = lambda a: np.round(a.astype(float), 7).tolist()  # noqa: E731
print(
    json.dumps(
        {
            "rows": [[None if np.isnan(v) else v for v in row] for row in x[:8]],
            "base": float(model["learner_model_param"]["base_score"]),
            "outputOf": trees["tree_info"],
            "trees": [
                {
                    "left": t["left_children"],
                    "right": t["right_children"],
                    "feature": t["split_indices"],
                    "value": t["split_conditions"],
                    "missingLeft": t["default_left"],
                    "cover": t["sum_hessian"],
                }
                for t in trees["trees"]
            ],
            "margins": number(booster.predict(some, output_margin=True)),
            "contributions": number(booster.predict(some, pred_contribs=True)),
            "interactions": number(booster.predict(some, pred_interactions=True)),
        }
    )
)
