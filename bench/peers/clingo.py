"""clingo: the units are grounded once, each applicant in a part of the program of their own.

The rules are stratified, so grounding decides everything and no search follows. It counts by itself. Atoms
of earlier applicants stay for ever and slow it down, so it is grounded anew after every few questions, with
no clock running.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from bench.encoded import PAIR, UNIT, YES, Encoded, add_up
from bench.workload import Case, Row, in_order

_clingo: Any = import_module("clingo")

_QUESTIONS = 8
"""Questions before everything is grounded anew."""

_RULES = """
#external a(k,none,0).
pair(k,R,0,2) :- a(k,g,G), G > 0, r(R,g,H), H > 0, G != H.
pair(k,R,0,1) :- a(k,g,0), r(R,g,_).
pair(k,R,0,1) :- a(k,g,G), G > 0, r(R,g,0).
pair(k,R,1,2) :- enemy(k,R), r(R,g,_).
meets(k,R,I,2) :- cross(I,X,Y), a(k,X,2), r(R,Y,2).
meets(k,R,I,1) :- cross(I,X,Y), a(k,X,V), V > 0, r(R,Y,W), W > 0.
pair(k,R,I,2) :- meets(k,R,I,2).
pair(k,R,I,1) :- meets(k,R,I,1), not meets(k,R,I,2).
number(k,U,I,V,N) :- unit(U), I = 0..4, V = 1..2, N = #count { R : pair(k,R,I,V), in(R,U) }, N > 0.
fits(k,U,J,2) :- place(J,X,Y), a(k,X,2), u(U,Y,2).
fits(k,U,J,1) :- place(J,X,Y), a(k,X,V), V > 0, u(U,Y,W), W > 0.
value(k,U,J,2) :- fits(k,U,J,2).
value(k,U,J,1) :- fits(k,U,J,1), not fits(k,U,J,2).
value(k,U,4,1) :- unit(U), a(k,sta,-1).
value(k,U,4,1) :- a(k,sta,N), N >= 0, u(U,mst,-1).
value(k,U,4,2) :- a(k,sta,N), u(U,mst,M), M >= 0, N > M.
value(k,U,5,V) :- u(U,siz,V), V > 0, a(k,sta,_).
value(k,U,7,1) :- unit(U), a(k,una,1).
"""

_STATIC = """
cross(2,st,op;2,op,st;3,yo,ol;3,ol,yo;4,vu,hi;4,hi,vu).
place(0,nrp,req;0,arp,mix;1,ari,ful;2,nli,nlg;3,ngr,off;6,avi,vis).
risky(U,T,N) :- unit(U), T = #count { R : in(R,U), r(R,ri,2) }, N = #count { R : in(R,U), r(R,ri,1) }.
u(U,ful,2) :- risky(U,T,N), limit(U,M), T >= M.
u(U,ful,1) :- risky(U,T,N), limit(U,M), T < M, T + N >= M.
"""


class Peer:
    """clingo for one case."""

    def __init__(self, _case: Case, encoded: Encoded) -> None:
        self._encoded = encoded
        self._residents = {
            name: number for number, name in enumerate(name for unit in encoded.units for name in unit.names)
        }
        self._text = self._program()
        self._asked = 0
        self.refresh()

    def _program(self) -> str:
        lines = [_STATIC]
        for number, unit in enumerate(self._encoded.units):
            facts = {name: value for name, value in unit.facts.items() if name != "ful"}
            members = len(unit.residents)
            limit = max(1, -(-25 * members // 100))
            lines.append(f"unit({number}). limit({number},{limit}).")
            lines += [f"u({number},{name},{value})." for name, value in facts.items()]
            for name, numbers in zip(unit.names, unit.people, strict=True):
                who = self._residents[name]
                lines.append(f"in({who},{number}).")
                lines += [f"r({who},{fact},{value})." for fact, value in numbers.items()]
        return "\n".join(lines)

    def refresh(self) -> None:
        """Ground everything anew, without the applicants of before."""
        self._control = _clingo.Control(["--warn=none"])
        self._control.add("base", [], self._text)
        self._control.add("ask", ["k"], _RULES)
        self._control.ground([("base", [])])
        self._asked = 0

    @property
    def tired(self) -> bool:
        """Whether it should be refreshed before it is asked again."""
        return self._asked >= _QUESTIONS

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units for an applicant."""
        asked = self._encoded.applicants[applicant]
        number = self._asked
        self._asked += 1
        mine = {**asked.person, **asked.unit}
        facts = [f"a({number},{name},{value})." for name, value in mine.items()]
        facts += [f"enemy({number},{self._residents[name]})." for name in sorted(asked.enemies)]
        self._control.add(f"facts{number}", [], "".join(facts))
        self._control.ground([(f"facts{number}", []), ("ask", [_clingo.Number(number)])])
        counts = [[[0, 0] for _ in PAIR] for _ in self._encoded.units]
        values = [[0] * len(UNIT) for _ in self._encoded.units]
        for atom in self._control.symbolic_atoms.by_signature("number", 5):
            k, unit, rule, value, how_many = (part.number for part in atom.symbol.arguments)
            if k == number:
                counts[unit][rule][YES - value] = how_many
        for atom in self._control.symbolic_atoms.by_signature("value", 4):
            k, unit, rule, value = (part.number for part in atom.symbol.arguments)
            if k == number:
                values[unit][rule] = value
        return in_order(
            [add_up(unit.id, counts[place], values[place]) for place, unit in enumerate(self._encoded.units)]
        )
