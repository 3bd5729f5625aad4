"""Small models of XGBoost with margins and predictions, for formats/xgboost.test.ts.

    /usr/bin/python3 xgboost-models.py     # xgboost 3.0.0, numpy; writes xgboost-models.json.gz and xgboost-model.ubj

`margins` are Booster.predict(output_margin=True), `predictions` are Booster.predict(), both for `rows`. Missing values
are null. Models are stored as XGBoost writes them, as strings, because their JSON can contain NaN.
"""

import gzip
import json
import pathlib

import numpy as np
import xgboost as xgb

# Model that is stored as XGBoost writes it, and as UBJSON.
COMPLETE = "softprob"
here = pathlib.Path(__file__).parent
rng = np.random.default_rng(20)
n = 80
x = rng.normal(size=(n, 3)).astype(np.float32)
x[rng.random(x.shape) < 0.1] = np.nan
x[:, 2] = rng.integers(0, 40, n)
z = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1]) ** 2 + (x[:, 2] % 3)
y3 = np.digitize(z, [1.0, 2.5])
positive = np.exp(z / 4).astype(np.float32)
test = x[:9].copy()
test[0] = [np.nan, np.nan, 0]
test[1, 2] = 77  # a category that training did not contain
test[2, 2] = np.nan


def quantities(names=None):
    return {"feature_types": ["q", "q", "q"], "feature_names": names}


def categories():
    return {"feature_types": ["q", "q", "c"], "enable_categorical": True}


cases = [
    ("squared error", {"objective": "reg:squarederror"}, z, 3, quantities(["size", "age of roof", "level"])),
    ("categories", {"objective": "reg:squarederror", "max_cat_to_onehot": 2}, z, 2, categories()),
    ("single categories", {"objective": "reg:squarederror", "max_cat_to_onehot": 99}, z, 2, categories()),
    ("logistic", {"objective": "binary:logistic"}, z > 2, 3, quantities()),
    ("base score", {"objective": "binary:logistic", "base_score": 0.3}, z > 2, 2, quantities()),
    ("logit raw", {"objective": "binary:logitraw"}, z > 2, 2, quantities()),
    ("regression of shares", {"objective": "reg:logistic"}, z > 2, 2, quantities()),
    ("hinge", {"objective": "binary:hinge"}, z > 2, 2, quantities()),
    ("softprob", {"objective": "multi:softprob", "num_class": 3}, y3, 2, categories()),
    ("softmax", {"objective": "multi:softmax", "num_class": 3}, y3, 1, quantities()),
    (
        "vectors in leaves",
        {"objective": "multi:softprob", "num_class": 3, "multi_strategy": "multi_output_tree"},
        y3,
        2,
        quantities(),
    ),
    ("poisson", {"objective": "count:poisson"}, y3, 3, quantities()),
    ("gamma", {"objective": "reg:gamma"}, positive, 2, quantities()),
    ("tweedie", {"objective": "reg:tweedie"}, positive, 2, quantities()),
    ("squared log error", {"objective": "reg:squaredlogerror"}, positive, 2, quantities()),
    ("pseudo-Huber", {"objective": "reg:pseudohubererror"}, z, 2, quantities()),
    ("absolute error", {"objective": "reg:absoluteerror"}, z, 2, quantities()),
    ("a quantile", {"objective": "reg:quantileerror", "quantile_alpha": 0.7}, z, 2, quantities()),
    ("ranking", {"objective": "rank:ndcg"}, y3, 2, quantities()),
    (
        "dart",
        {"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.5, "seed": 3},
        z > 2,
        4,
        quantities(),
    ),
    (
        "a forest in each round",
        {"objective": "reg:squarederror", "num_parallel_tree": 3, "subsample": 0.5},
        z,
        2,
        quantities(),
    ),
]
refused = [
    ("survival:aft", {"objective": "survival:aft"}, 2),
    ("gblinear", {"objective": "reg:squarederror", "booster": "gblinear"}, 2),
    ("two targets", {"objective": "reg:squarederror"}, 2),
    ("two quantiles", {"objective": "reg:quantileerror", "quantile_alpha": [0.2, 0.8]}, 2),
]


def saved(booster, name):
    """The model as JSON. Without lists that prediction does not need, except for one model."""
    text = bytes(booster.save_raw(raw_format="json")).decode()
    if name == COMPLETE:
        return text
    model = json.loads(text)
    gradient_booster = model["learner"]["gradient_booster"]
    for tree in gradient_booster.get("gbtree", gradient_booster)["model"].get("trees", []):
        lists = ["id", "parents", "loss_changes", "sum_hessian"]
        if tree["tree_param"]["size_leaf_vector"] == "1":
            lists += ["base_weights"]
        if not tree["categories"]:
            lists += ["split_type", "categories", "categories_nodes", "categories_segments", "categories_sizes"]
        for key in lists:
            tree.pop(key, None)
    return json.dumps(model, separators=(",", ":"))


def floats(array):
    """Numbers with the fewest digits that give the same float32; NaN as null."""
    return [[None if np.isnan(v) else float(str(np.float32(v))) for v in row] for row in np.atleast_2d(array.T).T]


models = []
for name, parameters, y, rounds, matrix in cases:
    data = xgb.DMatrix(x, np.asarray(y, dtype=np.float32), **matrix)
    if parameters["objective"].startswith("rank"):
        data.set_group([20] * 4)
    booster = xgb.train({"max_depth": 2, "min_child_weight": 4, "seed": 1, **parameters}, data, rounds)
    rows = xgb.DMatrix(test, **matrix)
    models.append(
        {
            "name": name,
            "objective": parameters["objective"],
            "model": saved(booster, name),
            "margins": floats(booster.predict(rows, output_margin=True)),
            "predictions": floats(booster.predict(rows)),
        }
    )
    if name == COMPLETE:
        (here / "xgboost-model.ubj").write_bytes(bytes(booster.save_raw(raw_format="ubj")))

others = []
for name, parameters, rounds in refused:
    y = np.stack([z, z], axis=1) if name == "two targets" else np.abs(z) + 1
    data = xgb.DMatrix(np.nan_to_num(x[:20]), y[:20])
    if name == "survival:aft":
        data.set_float_info("label_lower_bound", data.get_label())
        data.set_float_info("label_upper_bound", data.get_label())
    others.append({"name": name, "model": saved(xgb.train({"max_depth": 1, **parameters}, data, 1), name)})

found = {"version": xgb.__version__, "rows": floats(test), "models": models, "refused": others}
text = json.dumps(found, separators=(",", ":"))
(here / "xgboost-models.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
