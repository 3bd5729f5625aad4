"""What a script with scikit-learn's default estimator does from its start to its end: reads two files, fits, and measures on the second. One process a call.

The loss is the mean log loss of classes, else the root mean square error; fitSeconds is fit() alone.
"""

import time

from lines import missing, problem, say

try:
    import numpy as np
    import sklearn
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.metrics import log_loss

    if problem["format"] == "csv":
        import pandas
    else:
        from sklearn.datasets import load_svmlight_file
except ModuleNotFoundError as error:
    missing(error)

if problem["format"] == "csv":
    frames = [pandas.read_csv(problem[name]) for name in ("train", "test")]
    (x, y), (test_x, test_y) = [(frame.drop(columns="y").to_numpy(), frame["y"].to_numpy()) for frame in frames]
else:
    x, y = load_svmlight_file(problem["train"])
    test_x, test_y = load_svmlight_file(problem["test"], n_features=x.shape[1])

classes = problem["classes"]
model = LogisticRegression() if classes else LinearRegression()
start = time.perf_counter()
model.fit(x, y)
seconds = time.perf_counter() - start
if classes:
    loss = log_loss(test_y, model.predict_proba(test_x), labels=model.classes_)
else:
    loss = float(np.sqrt(np.mean((model.predict(test_x) - test_y) ** 2)))
say({"version": f"scikit-learn {sklearn.__version__} {type(model).__name__}", "loss": loss, "fitSeconds": seconds})
