"""The planning page: how crowded a race would be, and two plans side by side.

`form` asks for the plans, `plan` reads the API's answer, `figures` and `compare` make figures and sentences
of it, `charts` draws it. It may import `dashboard.request` and what is below it.
"""
