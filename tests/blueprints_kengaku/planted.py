"""Defects for the tests of Kengaku Cloud → Digima: each is planted alone, and the named test must then fail."""

SOURCES = "tests/blueprints_kengaku/test_sources.py::{}"
FAILURES = "tests/blueprints_kengaku/test_failures.py::{}"
SETTINGS = "tests/blueprints_kengaku/test_settings.py::{}"
TRACKING = "tests/browser/test_tracking.py::{}"

BLUEPRINT = "blueprints/kengaku_digima.py"
SCREENS = "blueprints/_kengaku_digima_settings.py"
FIELDS = "adapters/digima/_fields.py"
WIRE = "adapters/digima/_wire.py"
CONNECTOR = "adapters/digima/_connector.py"

PATCHES = {
    "document requests are not listened for (DIGIMA-1)": (
        BLUEPRINT,
        '("reservation", "inquiry", "document_request")',
        '("reservation", "inquiry")',
        SOURCES.format("test_reservations_inquiries_and_document_requests_each_become_an_inquiry_of_their_own_form"),
    ),
    "the account code is left out (DIGIMA-2)": (
        CONNECTOR,
        'f"{self.account_code.reveal()}-{code.reveal()}"',
        'f"-{code.reveal()}"',
        SOURCES.format("test_reservations_inquiries_and_document_requests_each_become_an_inquiry_of_their_own_form"),
    ),
    "every entry goes to the first form (DIGIMA-4)": (
        BLUEPRINT,
        'return self.settings.bindings.get(cast("Kind", kind), {}).get(source, "")',
        "return self.settings.forms[0].name",
        SOURCES.format("test_reservations_inquiries_and_document_requests_each_become_an_inquiry_of_their_own_form"),
    ),
    "an account code is not needed (DIGIMA-3, DIGIMA-10)": (
        SCREENS,
        "if not self.account_code.reveal().strip():",
        "if False:",
        SETTINGS.format("test_a_missing_account_code_names_the_screen_where_it_is_entered_and_the_one_where_it_stands"),
    ),
    "breaking the link forgets the bindings (DIGIMA-5)": (
        SCREENS,
        'return attrs.evolve(self, account_code=Secret(""))',
        "return Settings()",
        SOURCES.format("test_breaking_the_link_stops_posts_and_linking_again_keeps_the_bindings_and_fills_nothing_in"),
    ),
    "an unbound source goes to some form (DIGIMA-6, DIGIMA-7, DIGIMA-8)": (
        BLUEPRINT,
        '.get(source, "")',
        ".get(source, self.settings.forms[0].name)",
        SOURCES.format("test_an_entry_whose_source_has_no_form_is_skipped_and_says_where_one_is_chosen"),
    ),
    "the gate for bindings is left out (DIGIMA-6, DIGIMA-7, DIGIMA-8)": (
        BLUEPRINT,
        "        .gate(_Binding(settings))\n",
        "",
        SOURCES.format("test_an_entry_whose_source_has_no_form_is_skipped_and_says_where_one_is_chosen"),
    ),
    "an unbound source does not say where it is bound (DIGIMA-6, DIGIMA-7, DIGIMA-8)": (
        BLUEPRINT,
        "no web form is chosen for {kind} {source}; see {where}",
        "no web form is chosen",
        SOURCES.format("test_an_entry_whose_source_has_no_form_is_skipped_and_says_where_one_is_chosen"),
    ),
    "a form that is not there can be bound (DIGIMA-6, DIGIMA-7, DIGIMA-8)": (
        SCREENS,
        "if form and form not in names:",
        "if False:",
        SETTINGS.format("test_a_source_bound_to_a_form_that_is_not_there_names_the_nearest_and_the_screen"),
    ),
    "the administrators are always told of an inquiry (DIGIMA-9)": (
        SCREENS,
        "return forms.get(source, FormBinding()).notify or self.administrators",
        "return self.administrators",
        SOURCES.format("test_those_who_are_told_of_an_inquiry_are_its_own_addresses_or_else_the_administrators"),
    ),
    "nobody is told of an inquiry whose form names nobody (DIGIMA-9)": (
        SCREENS,
        "return forms.get(source, FormBinding()).notify or self.administrators",
        "return forms.get(source, FormBinding()).notify",
        SOURCES.format("test_those_who_are_told_of_an_inquiry_are_its_own_addresses_or_else_the_administrators"),
    ),
    "a form needs no code (DIGIMA-11, DIGIMA-12)": (
        SCREENS,
        "if not value.strip():",
        "if False:",
        SETTINGS.format("test_a_form_that_lacks_a_value_is_told_in_the_words_of_both_products"),
    ),
    "custom fields stay here (DIGIMA-13)": (
        BLUEPRINT,
        '    pairs += [pair(f"answers.{field.code}", f"contact.custom_fields.{field.code}") for field in settings.custom_fields]\n',
        "",
        SOURCES.format("test_a_field_with_a_code_goes_as_a_custom_field_and_one_without_stays_here"),
    ),
    "a code may have any character (DIGIMA-14)": (
        FIELDS,
        "if not _CODE.fullmatch(sign):",
        "if False:",
        SETTINGS.format("test_a_code_with_another_character_is_refused_and_the_character_is_named"),
    ),
    "full-width letters count as letters (DIGIMA-14)": (
        FIELDS,
        're.compile(r"[A-Za-z0-9_]")',
        're.compile(r"\\w")',
        SETTINGS.format("test_a_code_with_another_character_is_refused_and_the_character_is_named"),
    ),
    "an empty code is a code (DIGIMA-15)": (
        FIELDS,
        "if not code:",
        "if False:",
        SETTINGS.format("test_an_empty_code_names_the_screen_where_a_custom_field_is_made"),
    ),
    "a code can be changed (DIGIMA-16)": (
        SCREENS,
        "if held != field.code:",
        "if False:",
        SETTINGS.format("test_a_changed_code_is_refused_with_both_codes_named"),
    ),
    "any type can be linked (DIGIMA-17)": (
        FIELDS,
        "if type not in _TYPES:",
        "if False:",
        SETTINGS.format("test_only_text_and_long_text_can_be_linked"),
    ),
    "nobody is told of a failure (DIGIMA-18)": (
        BLUEPRINT,
        "        .on_quarantine(*notifiers)\n",
        "",
        FAILURES.format("test_a_refused_value_is_not_tried_again_waits_and_is_told_of_once"),
    ),
    "a refused value counts as sent (DIGIMA-18)": (
        CONNECTOR,
        "return [Rejected(action, refused[0])]",
        "return [Applied(action, RecordRef(self.system, KIND, action.key))]",
        FAILURES.format("test_a_refused_value_is_not_tried_again_waits_and_is_told_of_once"),
    ),
    "a notice needs no sender (DIGIMA-18)": (
        SCREENS,
        "if not self.failure_sender:",
        "if False:",
        SETTINGS.format("test_a_failure_notice_needs_a_sender_and_goes_to_the_administrators_unless_others_are_named"),
    ),
    "failure notices go to the administrators only (DIGIMA-18)": (
        SCREENS,
        "recipients = self.failure_to or self.administrators",
        "recipients = self.administrators",
        SETTINGS.format("test_a_failure_notice_needs_a_sender_and_goes_to_the_administrators_unless_others_are_named"),
    ),
    "a post may be repeated": (
        CONNECTOR,
        "validate_only=False, repeat=Repeat.UNSAFE",
        "validate_only=False, repeat=Repeat.SAFE",
        FAILURES.format("test_an_unknown_outcome_is_in_doubt_and_never_sent_again_by_itself"),
    ),
    "a post is a check": (
        CONNECTOR,
        "validate_only=False, repeat=Repeat.UNSAFE",
        "validate_only=True, repeat=Repeat.UNSAFE",
        FAILURES.format("test_a_check_of_the_connection_registers_nothing_and_no_post_is_a_check"),
    ),
    "a check is a post": (
        CONNECTOR,
        "validate_only=True, repeat=Repeat.SAFE",
        "validate_only=False, repeat=Repeat.SAFE",
        FAILURES.format("test_a_check_of_the_connection_registers_nothing_and_no_post_is_a_check"),
    ),
    "any address is taken for a script (DIGIMA-19, DIGIMA-20, DIGIMA-21)": (
        SCREENS,
        'return tracking_url(pasted) if pasted else ""',
        "return pasted",
        SETTINGS.format("test_a_tracking_url_that_is_none_names_the_screens_where_it_is_made_and_shown"),
    ),
    "the whole tag is taken for the address (DIGIMA-21)": (
        SCREENS,
        'return tracking_url(pasted) if pasted else ""',
        "return pasted",
        SETTINGS.format("test_only_the_src_of_the_pasted_script_is_kept"),
    ),
    "the page waits for the script (DIGIMA-22)": (
        "adapters/digima/_tracking.py",
        "<script async src=",
        "<script src=",
        TRACKING.format("TestASilentTracker::test_a_page_does_not_wait_for_the_script"),
    ),
    "the cookie is not carried on (DIGIMA-22)": (
        BLUEPRINT,
        '    ("page.visit_cookie", "visit_cookie"),\n',
        "",
        TRACKING.format("test_a_booking_on_a_page_with_the_snippet_is_tied_to_the_visit"),
    ),
    "the city is not part of the address (DIGIMA-23)": (
        BLUEPRINT,
        '("contact.prefecture", "contact.city", "contact.street")',
        '("contact.prefecture", "contact.street")',
        SOURCES.format("test_the_parts_of_the_address_are_joined_in_order_and_empty_ones_skipped"),
    ),
    "nobody is warned of what is overwritten (DIGIMA-24)": (
        BLUEPRINT,
        "return (_OVERWRITES[language],) if settings.merge_address else ()",
        "return ()",
        SOURCES.format("test_a_stored_address_is_overwritten_and_plan_and_check_warn_of_it"),
    ),
    "the address is merged without the switch (DIGIMA-25)": (
        BLUEPRINT,
        "    if settings.merge_address:\n",
        "    if True:\n",
        SOURCES.format("test_with_the_switch_off_no_address_is_merged"),
    ),
    "the address begins with the street (DIGIMA-26)": (
        BLUEPRINT,
        '("contact.prefecture", "contact.city", "contact.street")',
        '("contact.street", "contact.city", "contact.prefecture")',
        SOURCES.format("test_the_parts_of_the_address_are_joined_in_order_and_empty_ones_skipped"),
    ),
    "the parts are parted by a blank (DIGIMA-26)": (
        BLUEPRINT,
        "joined(*_ADDRESS)",
        'joined(*_ADDRESS, sep=" ")',
        SOURCES.format("test_the_parts_of_the_address_are_joined_in_order_and_empty_ones_skipped"),
    ),
    "something stands in for an empty address (DIGIMA-26)": (
        BLUEPRINT,
        "joined(*_ADDRESS)",
        'computed(lambda source: "".join(_ADDRESS), "source_id")',
        SOURCES.format("test_no_address_at_all_sends_nothing_and_leaves_what_is_stored"),
    ),
    "a forged delivery is let in": (
        "kit/intake.py",
        "if not hmac.compare_digest(_digest(delivery.body, secret, seconds), told[2]):",
        "if False:",
        SOURCES.format("test_a_forged_delivery_brings_nothing[signature]"),
    ),
    "any address is let in": (
        "kit/intake.py",
        'if not hmac.compare_digest(last.encode("utf-8", "surrogatepass"), secret.reveal().encode("utf-8", "surrogatepass")):',
        "if False:",
        SOURCES.format("test_a_forged_delivery_brings_nothing[path]"),
    ),
    "a blank overwrites what is stored": (
        WIRE,
        "        if is_blank(value):\n            continue\n",
        "",
        "tests/adapters/test_digima.py::TestPosting::test_a_blank_is_never_sent_so_that_it_overwrites_nothing",
    ),
}
