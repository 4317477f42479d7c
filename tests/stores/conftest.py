import pytest

pytest.register_assert_rewrite("crmbridge.testing._store_laws")
