"""`make bench`: speed as ratios against baselines that are measured in the same run. README.md says how it is built."""
