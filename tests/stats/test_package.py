import inspect
import pkgutil
import subprocess
import sys

import impact.stats


def fresh(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_import_is_light():
    loaded = fresh("import impact.stats, sys; print(*sys.modules)")
    assert not {name for name in loaded if name.split(".")[0] in ("django", "scipy", "numpy", "duckdb", "celery")}


def test_no_module_loads_django_or_a_database():
    names = [module.name for module in pkgutil.walk_packages(impact.stats.__path__, "impact.stats.")]
    loaded = fresh(f"import sys, importlib; [importlib.import_module(n) for n in {names!r}]; print(*sys.modules)")
    assert len(names) > 25
    assert not {name for name in loaded if name.split(".")[0] in ("django", "duckdb", "celery", "sklearn")}


def test_every_public_name_is_explained():
    for module in pkgutil.walk_packages(impact.stats.__path__, "impact.stats."):
        loaded = __import__(module.name, fromlist=["_"])
        assert loaded.__doc__ and "\n" not in loaded.__doc__, module.name
        if module.name.startswith("impact.stats.simulation."):
            continue
        for name, thing in vars(loaded).items():
            if getattr(thing, "__module__", "") == module.name and not name.startswith("_"):
                assert thing.__doc__ and not thing.__doc__.startswith(name + "("), f"{module.name}.{name}"
                if inspect.isfunction(thing):
                    _, _, explained = thing.__doc__.partition("Parameters\n")
                    missing = [one for one in inspect.signature(thing).parameters if one not in explained]
                    assert not missing, f"{module.name}.{name} doesn't explain {missing}"
