"""A study as text: which model, which analysis, over what, and what to write.

Nothing in such a text is ever run, so it may come from anyone: the model is read by the safe reader, the analysis
is a name from a list, and all paths stay in the folder of the study.

lines      where the keys of a TOML text stand          values    what a key may hold
analyses   the list, with the settings of each          designs   points of a sweep beside a grid
study      Study and its parts
read       text to Study                                run       Study to result
page       what a study leaves behind: figures, data, table, report
"""
