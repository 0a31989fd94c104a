"""Values that are hard to set: names of every kind, and for each shipped type its fields at their longest."""

from __future__ import annotations

LONG = (
    "示例环保新材料科学技术研究开发（样例）股份有限公司测试区第一分公司"
    "生产制造与综合服务管理中心示范基地筹建处项目部工作组织"
)
"""As long as most names may be."""
ADDRESS = "示例省样例市测试区样板路88号示范园区3号楼1204室，"
NAMES = {
    "two": "张样",
    "thirty": LONG[:30],
    "sixty": (LONG * 2)[:60],
    "middle dot": "阿卜杜勒哈米德·穆罕默德·伊本·阿卜杜勒阿齐兹·阿勒萨尼",
    "diacritics": "Antonín Leopold Dvořák-Żółkiewski Łętowski Çelebi",
    "rare": "𬱖𫍯𠮷㐀䶮",
}
"""Holders' names, the last two in fonts that others fall back to."""
FULL = {
    "business-licence": {
        "scope": ("许可项目：建设工程施工；危险废物经营（依法须经批准的项目），" * 30)[:700],
        "address": (ADDRESS * 9)[:120],
        "company_type": LONG, "legal_representative": LONG, "registered_capital": LONG[:40], "term_until": "2039-06-17",
    },
    "food-business-licence": {
        "items": ("热食类食品制售；冷食类食品制售（含凉菜），" * 30)[:280], "domicile": (ADDRESS * 9)[:80],
        "premises": (ADDRESS * 9)[:80], "supervisor": LONG, "legal_representative": LONG,
        "inspectors": (LONG[:20],) * 3, "signatory": LONG[:20],
    },
    "real-estate-certificate": {
        "co_ownership": LONG, "location": (ADDRESS * 9)[:100], "right_type": LONG, "right_nature": LONG,
        "purpose": LONG, "other": (LONG,) * 5, "notes": ((LONG * 4)[:200],) * 5,
    },
    "construction-planning-permit": {
        "project_name": (LONG * 2)[:80], "location": (ADDRESS * 9)[:80], "scale": (LONG * 3)[:160],
        "attachments": (LONG[:40],) * 6,
    },
    "birth-certificate": {
        "birth_place": (ADDRESS * 9)[:80], "institution": LONG, "mother_name": NAMES["diacritics"],
        "mother_nationality": LONG[:20], "mother_ethnicity": LONG[:20], "mother_address": (ADDRESS * 9)[:80],
        "mother_document": LONG[:20], "mother_document_number": "A1234567890B1234567890C1234567",
    },
    "approval-document": {
        "title": (LONG[:20],) * 4, "addressee": (LONG * 2)[:80], "body": ((LONG * 4)[:200] + "。",) * 25,
        "attachments": (LONG[:40],) * 2, "copies": (LONG * 2)[:80], "printed_by": LONG[:40],
        "limits": tuple(
            (f"{row}类", LONG if row % 4 else "颗粒物", "10毫克／立方米", f"出口{row}") for row in range(60)
        ),
        "requirements": ((LONG * 9)[:200] + "。",) * 9,
    },
    "joint-approval-document": {
        "title": (LONG[:20],) * 4, "addressee": (LONG * 2)[:80], "body": ((LONG * 4)[:200] + "。",) * 25,
        "copies": (LONG * 2)[:80], "printed_by": LONG[:40],
    },
    "service-certificate": {"project": LONG, "organiser": LONG, "hours": "19999.5"},
}  # fmt: skip
"""Field values of each type at the lengths it allows."""
