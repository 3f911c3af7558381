# The page on port 7860:  docker build -t inpainting-studio . && docker run --rm -p 7860:7860 inpainting-studio
FROM python:3.12-slim

# Without the extra index pip would take the CUDA build of torch, several gigabytes of which nothing here is used.
COPY requirements.txt /tmp/
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r /tmp/requirements.txt

RUN useradd --create-home --uid 1000 studio
USER studio
WORKDIR /home/studio/app
COPY --chown=studio . .
# PatchMatch's loops are compiled here once, not at every start of a container.
RUN python -c "import inpaint_core.methods.patchmatch as patchmatch; patchmatch.warm_up()"

ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_ANALYTICS_ENABLED=False \
    PYTHONUNBUFFERED=1
EXPOSE 7860
CMD ["python", "app.py"]
