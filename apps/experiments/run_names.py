"""Names for runs that come without one: readable, and seldom the same twice."""

from __future__ import annotations

import secrets

_QUALITY_WORDS = """
    able agile amber ardent azure blithe bold brave bright brisk calm candid clear clever coral crisp daring deft
    eager early earnest fair fleet fond frank fresh gentle glad golden grand hale handy happy hardy hearty honest
    humble ivory jolly keen kind lively loyal lucid merry mild modest neat nimble noble patient placid plucky
    polite prime proud quick quiet ready robust rosy royal rugged sage sandy serene sharp silver smooth snug solid
    spry stable steady stout sturdy subtle sunny swift tame tidy tranquil trim true trusty vivid warm wise witty
    zesty
"""
_SHIP_WORDS = """
    ark barge bark bow brig buoy cabin canoe caravel catboat clipper coaster cog coracle corvette currach cutter
    dhow dinghy dory felucca ferry flyboat frigate galleon galley gig gondola helm hoy hull jib junk kayak keel
    ketch launch lighter lugger mast packet pilot pinnace pontoon prow proa punt raft reef rigger rudder sail
    sampan schooner scow shallop skiff sloop smack spar steamer tender tiller topsail trawler trimaran tug wherry
    windlass xebec yacht yawl
"""
_QUALITIES, _SHIPS = _QUALITY_WORDS.split(), _SHIP_WORDS.split()


def random_run_name() -> str:
    """Such as `steady-cutter-417`."""
    return f"{secrets.choice(_QUALITIES)}-{secrets.choice(_SHIPS)}-{secrets.randbelow(1000)}"
