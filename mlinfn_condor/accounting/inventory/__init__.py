"""What was granted outside of HTCondor's sight: VMs given to projects, servers on loan."""
