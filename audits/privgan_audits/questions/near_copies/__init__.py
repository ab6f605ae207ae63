"""T2: do synthetic images come closer to members than to other patients?"""
