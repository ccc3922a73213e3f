"""Decision support for allocating supported housing.

Given a municipality's schemes, residents, applicants, conflicts and staff objections, rank the vacant units
for an applicant, and the applicants for a vacant unit, under declarative resident-mix rules, and explain
every line so that staff can check, contest and overrule it. It advises; people decide.

Map, in the direction of imports: `codes` <- `model` (facts) <- `facts` (the vocabulary) <- `rules` (language,
sources, one file per topic) <- `policy` <- `engines` (readers of rules) <- `scoring` <- `ranking` (quick, for
many at once), `explain`, `handbook` <- `simulation`, `proofs`, `national` <- `cli`, `api`.
"""

__version__ = "0.1.0"
