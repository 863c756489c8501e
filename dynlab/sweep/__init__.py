"""Any function of named parameters over any design on any executor; it knows callables, not systems.

axis        values that run together along one direction      designs    points drawn or spread in a box
study       Sweep: a product of axes                          run        the loop that hands out tasks
task        a task and what comes of it                       gather     answers of many tasks as columns
executors   serial, threads, processes, or one that is given  workers    processes that may die
worker      what runs in such a process                       parcels    what goes to a worker once, by its hash
given       an executor that the user opened                  identity   which function and which design it is
journal     finished tasks on the disk                        result     SweepResult, Failure
picture     lines, heat maps, classes
"""
