"""A scripted X API v2 server on loopback; see ``server`` for how a test steers it."""

from tests.servers.x.bill import DayBill
from tests.servers.x.clock import Clock
from tests.servers.x.faults import Fault, Request
from tests.servers.x.posts import XPost, XUser, make_post, make_user
from tests.servers.x.problem import Problem, out_of_credits, spend_cap_reached, usage_capped
from tests.servers.x.server import XServer
from tests.servers.x.stream import Sent, StreamFault

__all__ = [
    "Clock",
    "DayBill",
    "Fault",
    "Problem",
    "Request",
    "Sent",
    "StreamFault",
    "XPost",
    "XServer",
    "XUser",
    "make_post",
    "make_user",
    "out_of_credits",
    "spend_cap_reached",
    "usage_capped",
]
