"""What a decision leaves out of the work that it accepts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("checkpoints", sa.Column("leave_out", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("checkpoints", "leave_out")
