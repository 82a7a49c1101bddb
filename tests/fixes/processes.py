"""How devloop starts its own processes."""

from fixes.model import Cut, Fix

FIXES = (
    Fix(
        name="no-package-of-the-repository",
        threat="§2.3: what the repository brings runs before it is trusted",
        says="the daemon's interpreter does not look for modules in the folder it begins in",
        cuts=(Cut("launch.py", 'SERVE = (sys.executable, "-P", "-m"', 'SERVE = (sys.executable, "-m"'),),
        tests=(
            "tests/daemon/test_daemon_shadow.py::test_the_daemon_is_ours_in_a_repository_with_a_package_of_the_same_name",
        ),
    ),
)
