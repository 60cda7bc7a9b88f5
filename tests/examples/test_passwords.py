"""Which passwords are refused, and that unknown accounts cost as much as known ones."""

import pytest
from argon2 import PasswordHasher

from fairkey.adapters.passwords import Passwords, Verdict, require_strong
from fairkey.engine.people import PasswordIsWeak


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "too_short"),
        ("123456789", "too_short"),
        ("x" * 201, "too_long"),
        ("password123", "common"),
        ("P4ssw0rd!2024", "common"),
        ("!!Password!!", "common"),
        ("qwertyuiop", "common"),
        ("1234567890", "common"),
        ("0987654321a", "common"),
        ("abcdefghij", "common"),
        ("13812345678", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("abcabcabcabc", "common"),
        ("woaini1314520", "common"),
        ("wanglihua1990", "like_email"),
        ("wanglihua@example.com", "like_email"),
    ],
)
def test_what_falls_to_a_short_list_is_refused(password: str, why: str) -> None:
    with pytest.raises(PasswordIsWeak) as refused:
        require_strong(password, email="wanglihua@example.com")
    assert refused.value.details == {"why": why, "length_min": 10}


@pytest.mark.parametrize(
    "password", ["meine katze mag tofu", "一条小鱼游过了三座桥", "kR8#mmQ2-x", "93 luftballons am horizont"]
)
def test_what_takes_real_guessing_is_taken(password: str) -> None:
    require_strong(password, email="wanglihua@example.com")


async def test_a_password_fits_its_hash_however_the_keyboard_composed_it() -> None:
    passwords = Passwords(memory_kib=64, rounds=1)
    encoded = await passwords.make("Ｆｕｌｌｗｉｄｔｈ pass é")
    assert await passwords.check(encoded, "Fullwidth pass e\u0301") == Verdict(fits=True, stale=False)
    assert await passwords.check(encoded, "Fullwidth pass e") == Verdict(fits=False, stale=False)
    assert await passwords.check("not a hash at all", "anything") == Verdict(fits=False, stale=False)
    passwords.stop()


async def test_nobody_is_checked_like_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(memory_kib=64, rounds=1)
    seen: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, encoded: str, password: str) -> bool:
        seen.append(encoded.split("$")[3])
        return verify(self, encoded, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    somebody = await passwords.make("a password of somebody")
    await passwords.check(somebody, "wrong")
    assert await passwords.check(None, "\0nobody") == Verdict(fits=False, stale=False)
    assert seen == ["m=64,t=1,p=1"] * 2
    passwords.stop()


def test_the_parameters_are_those_of_owasp() -> None:
    passwords = Passwords()
    assert passwords._nobody.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    passwords.stop()
