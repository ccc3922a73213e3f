"""Measured side by side: the same rules and the same data, here and in other engines; no part of the tests.

``python -m bench`` (``make bench`` installs what it needs) runs everything in one process and writes the
tables in ``bench/README.md``. Nothing here decides anything about anybody: all people are invented.

* :mod:`bench.workload` - the twelve rules, the invented municipality, and what the right answer is;
* :mod:`bench.encoded` - the same facts and rules in a form that is easy for the other engines;
* :mod:`bench.floor` - hand-written NumPy bit planes: what the same work costs when it is written for these
  twelve rules alone;
* :mod:`bench.peers` - one module for each engine measured;
* :mod:`bench.measure` - clocks, medians and exponents;
* :mod:`bench.run` - the command: checks that all answers are equal, measures, and writes the tables.
"""
